"""The server's application with a tiny model, as clients see it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors import HeldUp, MagentaPatches
from emolens import settings
from emolens.detect.base import Detector
from emolens.serving import ServerSettings, create_app, engine
from look_threads import look_threads
from models import make_model_file

Serve = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx", bias={"happy": 100})


@pytest.fixture
def serve(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts an application with these settings; its detector finds magenta, or is the one that is given."""
    with ExitStack() as stack:

        def start(detector: Detector | None = None, **given: Any) -> TestClient:
            monkeypatch.setattr(engine, "LookPool", look_threads(detector or MagentaPatches()))
            chosen = ServerSettings.load(**{"models": str(model_file), **given})
            return stack.enter_context(TestClient(create_app(chosen)))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """What has been logged of requests so far."""
    caplog.set_level(logging.INFO, "emolens.serving")
    return lambda: [record.fields for record in caplog.records if hasattr(record, "fields")]


@pytest.fixture
def held_up() -> Iterator[HeldUp]:
    detector = HeldUp()
    yield detector
    detector.free.set()
