"""The server's application with a tiny model, as clients see it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors import HeldUp, MagentaPatches
from emolens import settings
from emolens.detect.base import Detector
from emolens.image import Limits
from emolens.look import Looker
from emolens.serving import ServerSettings, create_app, engine
from emolens.serving.looking import Asked, Seen
from models import make_model_file

Serve = Callable[..., TestClient]


class LookThreads:
    """As the pool of processes, in threads, with a detector of the test's."""

    def __init__(self, detector: Detector, count: int, limits: Limits) -> None:
        self._detector, self._limits = detector, limits
        self._pool = ThreadPoolExecutor(count)

    async def look(self, data: bytes, model: Asked) -> Seen:
        looker = Looker(model.framings, self._detector if model.for_faces else None, self._limits)
        look = await asyncio.get_running_loop().run_in_executor(self._pool, looker.look, data, "file")
        return look, None

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


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
            finder = detector or MagentaPatches()
            monkeypatch.setattr(engine, "LookPool", lambda count, limits: LookThreads(finder, count, limits))
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
