"""What people say of predictions: kept, and removed again."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from emolens.feedback.answer import MOST_BYTES
from emolens.serving.access import with_key
from emolens.serving.errors import RequestError, overloaded
from emolens.serving.feedback import Feedback, SentOpinion
from emolens.serving.schemas import FeedbackKept, errors
from emolens.serving.services import Services
from emolens.serving.upload import receive

_JSON = "application/json"
_BASE64 = 4 * (MOST_BYTES + 2) // 3


def _body() -> dict[str, object]:
    """OpenAPI of a body that the route reads itself."""
    schema = SentOpinion.model_json_schema()
    example = {name: field.examples[0] for name, field in SentOpinion.model_fields.items() if field.examples}
    content = {_JSON: {"schema": schema, "example": example | {"consent": False}}}
    return {"requestBody": {"required": True, "content": content}}


def feedback_routes(services: Services, feedback: Feedback) -> APIRouter:
    router = APIRouter(tags=["feedback"], dependencies=[Depends(with_key(services.keys))])
    settings, gate = services.settings, services.gate

    @router.post(
        "/feedback",
        status_code=201,
        openapi_extra=_body(),
        responses={
            200: {"model": FeedbackKept, "description": "It was kept already."},
            **errors(400, 401, 408, 409, 413, 415, 422, 429, 500, 503),
        },
    )
    async def add(request: Request, response: Response) -> FeedbackKept:
        """Keeps what somebody said of a prediction; sent again with the same id, it is kept once.

        An image is stored only where `consent` is true: of a face its surroundings, else the whole image, made small
        and without EXIF.
        """
        gate.check()
        with gate.holding() as held:
            _check_kind(request)
            body = bytearray()
            await receive(request, _BASE64, settings.upload_seconds, held, body.extend)
            with gate.admitted(1):
                try:
                    async with asyncio.timeout(settings.deadline):
                        client_id, new = await feedback.add(bytes(body))
                except TimeoutError:
                    raise overloaded("deadline", "it was not kept in time") from None
        response.status_code = 201 if new else 200
        return FeedbackKept(client_id=client_id, new=new)

    @router.delete("/feedback/{client_id}", status_code=204, responses=errors(401, 404, 422, 429, 500, 503))
    async def delete(client_id: Annotated[str, Path(max_length=36)]) -> None:
        """Removes an answer and its picture, for whoever knows its id."""
        if not await feedback.delete(client_id):
            raise RequestError(404, "unknown_feedback", "there is no feedback with this id")

    return router


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON or request.headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "unsupported_media_type", f"send {_JSON}, without a content-encoding")
