"""What goes wrong, as a client is told it: a status, a code and a message, which name no path and no library."""

import json
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from emolens.errors import EmolensError, FeedbackError, ImageError, PolicyError

UNREADABLE: Mapping[str, tuple[int, str]] = {
    "empty": (400, "the file is empty"),
    "too_many_bytes": (413, "the file has more bytes than this server reads; make it smaller"),
    "too_many_pixels": (413, "the image has more pixels than this server reads; make it smaller"),
    "not_an_image": (415, "this is no image; send JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF"),
    "wrong_extension": (415, "this is no image; send JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF"),
    "unsupported_format": (415, "this kind of image is not read; save it as JPEG or PNG"),
    "missing_extra": (415, "this server does not read HEIC; save the image as JPEG or PNG"),
    "truncated": (422, "the image ends too early; copy or download it again"),
    "damaged": (422, "the image is damaged; copy it again or save it anew"),
    "outside": (422, "the box lies outside of the image; give it in pixels of the upright image"),
}
"""Status and message of the codes that an image in memory can fail with."""


class RequestError(EmolensError):
    """A request that is refused.

    Args:
        status: of the answer.
        code: a short, stable, machine-readable word.
        message: what was wrong and what to do.
        headers: that go with it.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def overloaded(code: str, message: str) -> RequestError:
    """Too much at once: 503, to be tried again in a second."""
    return RequestError(503, code, f"{message}; try again in a second", {"Retry-After": "1"})


def from_error(error: EmolensError) -> RequestError:
    """The one table from errors to statuses."""
    match error:
        case RequestError():
            return error
        case ImageError():
            status, message = UNREADABLE.get(error.code, UNREADABLE["damaged"])
            return RequestError(status, error.code, message)
        case FeedbackError(code="conflict"):
            return RequestError(409, "conflict", str(error))
        case FeedbackError():
            message = "feedback cannot be kept now; try again in some seconds, with the same id"
            return RequestError(503, "feedback_away", message, {"Retry-After": "5"})
        case PolicyError():
            return RequestError(422, "invalid_policy", str(error))
    return internal()


def from_status(status: int, headers: Mapping[str, str] | None = None) -> RequestError:
    """Of an HTTP status that the framework gives, such as 404 and 405."""
    phrase = HTTPStatus(status).phrase
    return RequestError(status, phrase.lower().replace(" ", "_"), phrase.lower(), headers)


def from_faults(faults: Any) -> RequestError:
    """Of the faults that pydantic finds in parameters; the values, which may be anything, stay unsaid."""
    said = (f"{'.'.join(str(part) for part in fault['loc'] if part != 'query')}: {fault['msg']}" for fault in faults)
    return RequestError(422, "invalid_parameter", "; ".join(said))


def internal() -> RequestError:
    """Of a fault of ours."""
    return RequestError(500, "internal", "a fault of the server; its log has more under the request id")


def body(error: RequestError, request_id: str) -> dict[str, Any]:
    """The JSON of every error."""
    return {"error": {"code": error.code, "message": str(error), "request_id": request_id}}


def raw(error: RequestError) -> bytes:
    """The whole HTTP answer to what never becomes a request, with an id of its own."""
    request_id = uuid.uuid4().hex
    content = json.dumps(body(error, request_id)).encode()
    headers = {
        **error.headers,
        "Content-Type": "application/json",
        "Content-Length": len(content),
        "Connection": "close",
        "X-Request-ID": request_id,
    }
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
