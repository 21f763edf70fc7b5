"""The application in the hands of those who embed it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from detectors import MagentaPatches
from emolens.serving import ServerSettings, create_app, engine
from look_threads import look_threads
from pictures import picture

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def app(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(engine, "LookPool", look_threads(MagentaPatches()))
    return create_app(ServerSettings.load(models=str(model_file)))


def test_before_it_has_started_and_after_it_has_ended_it_is_not_ready(app: FastAPI) -> None:
    def told() -> list[tuple[int, str]]:
        client = TestClient(app)
        answers = client.get("/ready"), client.post("/predict", content=picture(), headers=PNG)
        return [(answer.status_code, answer.json()["error"]["code"]) for answer in answers]

    assert told() == [(503, "not_ready")] * 2
    for _ in range(2):
        with TestClient(app) as client:
            assert client.post("/predict", content=picture(), headers=PNG).status_code == 200
        assert told() == [(503, "not_ready")] * 2


def test_it_can_be_mounted_in_another(app: FastAPI) -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with app.router.lifespan_context(app):
            yield

    whole = FastAPI(lifespan=lifespan)
    whole.mount("/emolens", app)
    with TestClient(whole) as client:
        assert client.post("/emolens/predict", content=picture(), headers=PNG).status_code == 200
        assert client.get("/emolens/predict").headers["allow"] == "POST"
        assert client.get("/emolens/openapi.json").json()["servers"] == [{"url": "/emolens"}]
