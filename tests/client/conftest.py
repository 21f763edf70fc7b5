"""The real server over a socket, with a tiny model whose detector finds magenta; and both clients of it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detectors import MagentaPatches
from emolens import Policy, Predictor, settings
from emolens.client import AsyncClient, Client
from emolens.runtime import OnnxModel
from emolens.serving import ServerSettings, create_app, engine
from live_server import live
from look_threads import look_threads
from models import make_model_file

ADMIN = "the-admin-key"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx", bias={"happy": 2})


@pytest.fixture(scope="module")
def url(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name in settings.SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv(settings.FEEDBACK_URL, f"sqlite:///{tmp_path_factory.mktemp('feedback')}/feedback.db")
        patch.setattr(engine, "LookPool", look_threads(MagentaPatches()))
        keys = f"ops:{hashlib.sha256(ADMIN.encode()).hexdigest()}"
        chosen = ServerSettings.load(models=str(model_file), admin_keys=keys, files=4, feedback=True)
        with live(create_app(chosen)) as address:
            yield address


@pytest.fixture
def local(model_file: Path) -> Predictor:
    return Predictor(OnnxModel(model_file), MagentaPatches(), Policy.load("social"))


class Awaited:
    """An `AsyncClient` whose methods are called as those of a `Client`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = AsyncClient(*arguments, **options)
        self._loop = asyncio.Runner()

    def __enter__(self) -> "Awaited":
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.close())
        self._loop.close()

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            asked = getattr(self._client, name)(*arguments, **options)
            return self._loop.run(_listed(asked) if isinstance(asked, AsyncGenerator) else asked)

        return call


async def _listed(results: AsyncGenerator[Any]) -> list[Any]:
    return [result async for result in results]


@pytest.fixture(params=[Client, Awaited], ids=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a client of either kind."""
    kind: Callable[..., Any] = request.param
    return kind


@pytest.fixture
def client(make_client: Callable[..., Any], url: str) -> Iterator[Any]:
    with make_client(url) as made:
        yield made
