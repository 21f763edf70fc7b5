"""Photographs in, emotions and reactions out."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from emolens.errors import ImageError
from emolens.results import Prediction
from emolens.serving.access import with_key
from emolens.serving.errors import from_error, from_faults, overloaded
from emolens.serving.gate import Held
from emolens.serving.schemas import (
    BatchAnswer,
    Emojis,
    ErrorDetail,
    FailedImage,
    ImageAnswer,
    Options,
    PredictAnswer,
    errors,
)
from emolens.serving.services import Services
from emolens.serving.upload import FILE_FIELD, Caps, Upload, read_upload

_T = TypeVar("_T")
_Asked = Annotated[Options, Query()]
_REFUSALS = errors(400, 401, 408, 413, 415, 422, 429, 500, 503)

_BINARY = {"type": "string", "format": "binary"}


def _body(form: dict[str, Any], **others: Any) -> dict[str, Any]:
    """OpenAPI of a body that the route reads itself; the options are added where the application is described."""
    schema = {"type": "object", "required": [FILE_FIELD], "properties": {FILE_FIELD: form}}
    multipart = {"schema": schema, "encoding": {FILE_FIELD: {"contentType": "image/*"}}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": multipart, **others}}}


_ONE = _body(_BINARY, **{kind: {"schema": _BINARY} for kind in ("image/*", "application/octet-stream")})


def predict_routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["predict"], dependencies=[Depends(with_key(services.keys))], responses=_REFUSALS)
    settings, limits, engine, gate = services.settings, services.limits, services.engine, services.gate
    many = _body({"type": "array", "items": _BINARY, "minItems": 1, "maxItems": settings.files})

    @router.post("/predict", response_model=PredictAnswer, response_model_exclude_unset=True, openapi_extra=_ONE)
    async def predict(request: Request, asked: _Asked) -> dict[str, Any]:
        """The faces of an image, their emotions, and the emoji that fit."""
        prediction, options = await _one(request, asked)
        answer = ImageAnswer.of(prediction, options)
        return {"status": "success", **answer, "request_id": request.state.request_id}

    @router.post("/predict_emojis", openapi_extra=_ONE)
    async def predict_emojis(request: Request, asked: _Asked) -> Emojis:
        """The emoji that fit an image, and no more."""
        prediction, _ = await _one(request, asked)
        return Emojis(emojis=list(prediction.reactions.suggested))

    @router.post("/predict/batch", response_model=BatchAnswer, response_model_exclude_unset=True, openapi_extra=many)
    async def predict_batch(request: Request, asked: _Asked) -> dict[str, Any]:
        """Many images at once; one that cannot be read is an error in its place, and the others are answered."""
        caps = Caps(
            limits.max_bytes,
            min(settings.files * limits.max_bytes, settings.memory),
            settings.files,
            settings.upload_seconds,
        )
        with gate.holding() as held:
            upload, options = await _received(request, asked, caps, held)
            results = await _answered(request, upload.files, options)
        answers = [
            ImageAnswer.of(result, options) if isinstance(result, Prediction) else _failed(result).model_dump()
            for result in results
        ]
        return {"status": "success", "results": answers, "request_id": request.state.request_id}

    async def _one(request: Request, asked: Options) -> tuple[Prediction, Options]:
        body_bytes = min(limits.max_bytes, settings.memory)
        with gate.holding() as held:
            upload, options = await _received(
                request, asked, Caps(limits.max_bytes, body_bytes, 1, settings.upload_seconds), held
            )
            (result,) = await _answered(request, upload.files, options)
        if isinstance(result, ImageError):
            raise result
        request.state.milliseconds.update(_steps(result))
        return result, options

    async def _received(request: Request, asked: Options, caps: Caps, held: Held) -> tuple[Upload, Options]:
        gate.check()
        start = perf_counter()
        upload = await read_upload(request, caps, held)
        request.state.milliseconds["upload"] = 1e3 * (perf_counter() - start)
        return upload, _merged(asked, upload.fields)

    async def _answered(
        request: Request, files: Sequence[bytes | None], options: Options
    ) -> list[Prediction | ImageError]:
        policy = await services.policies.find(options.policy)
        model = services.model(options.model)

        async def read(file: bytes | None) -> Prediction | ImageError:
            if file is None:
                return ImageError("too_many_bytes", "over the limit")
            try:
                return await engine.predict(file, model, policy, options.threshold)
            except ImageError as error:
                return error

        with gate.admitted(len(files)):
            try:
                async with asyncio.timeout(settings.deadline):
                    return await _unless_gone(request, asyncio.gather(*map(read, files)))
            except TimeoutError:
                raise overloaded("deadline", "no answer was found in time") from None

    return router


async def _unless_gone(request: Request, work: "asyncio.Future[_T]") -> _T:
    """The result of the work, which ends where the client leaves.

    Raises:
        ClientDisconnect: it has left.
    """
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()
        leaving.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    # The body has been read, so that all that can come is the end of the connection.
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _merged(asked: Options, fields: dict[str, str]) -> Options:
    try:
        return Options.model_validate({**asked.model_dump(exclude_unset=True), **fields})
    except ValidationError as error:
        raise from_faults(error.errors()) from None


def _failed(error: ImageError) -> FailedImage:
    refused = from_error(error)
    return FailedImage(error=ErrorDetail(code=refused.code, message=str(refused)))


def _steps(prediction: Prediction) -> dict[str, float]:
    return {step: value for step, value in prediction.milliseconds.items() if step != "total"}
