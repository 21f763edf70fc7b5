"""The servers that ours is compared with: what one writes in ten lines around the same predictor.

uvicorn peers:inline      an `async def` handler that calls the predictor: nothing else moves meanwhile
uvicorn peers:pooled      a `def` handler, which FastAPI runs in its pool of threads
python peers.py PORT      LitServe, one worker process per core
"""

from typing import Annotated, Any

from fastapi import FastAPI, File, UploadFile

import emolens


def open_model() -> Any:
    return emolens.load("face", device="cpu", threads=1)


def inline() -> FastAPI:
    app, model = FastAPI(), open_model()

    @app.post("/predict")
    async def predict(file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        answer: dict[str, Any] = model.predict(await file.read()).to_dict()
        return answer

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def pooled() -> FastAPI:
    app, model = FastAPI(), open_model()

    @app.post("/predict")
    def predict(file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        answer: dict[str, Any] = model.predict(file.file.read()).to_dict()
        return answer

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
