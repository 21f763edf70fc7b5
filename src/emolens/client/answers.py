"""The server's JSON -> results, and its refusals -> errors; what else comes is an error, too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from emolens.errors import ImageError, ServerError
from emolens.results import Face, Failure, Prediction, Reactions

UNREADABLE = frozenset(
    (
        "empty",
        "too_many_bytes",
        "too_many_pixels",
        "not_an_image",
        "wrong_extension",
        "unsupported_format",
        "missing_extra",
        "truncated",
        "damaged",
        "outside",
    )
)
"""The codes with which the server says that the fault is the image's."""

_T = TypeVar("_T")


class RefusedImageError(ServerError, ImageError):
    """The server cannot read the image; an `ImageError`, so that programs need not know where it was read."""


@dataclass(frozen=True)
class ServedModel:
    """A model of the server.

    Attributes:
        name: by which `predict` asks for it.
        default: whether it answers where no model is asked for.
    """

    name: str
    version: str
    kind: str
    labels: tuple[str, ...]
    objective: str
    licence: str
    sha256: str | None
    default: bool


@dataclass(frozen=True)
class PolicyVersion:
    """A policy that is or was live; `since` is when it was put in, in ISO 8601."""

    version: int
    name: str
    since: str


@dataclass(frozen=True)
class LivePolicy(PolicyVersion):
    """The live policy with its text, and the versions that can be made live again."""

    yaml: str
    versions: tuple[PolicyVersion, ...]


class _Distribution(BaseModel):
    probability_distribution: Annotated[dict[str, float], Field(min_length=1)]


class _Reason(BaseModel):
    allowed_by: tuple[str, ...]
    blocked_by: tuple[str, ...]


class _Image(BaseModel):
    model: str
    width: int
    height: int
    prediction: _Distribution
    predicted_emotions: tuple[str, ...]
    allowed_emojis: tuple[str, ...]
    blocked_emojis: tuple[str, ...]
    suggested_emojis: tuple[str, ...]
    reasons: dict[str, _Reason]
    faces: tuple[Face, ...]
    unsure: bool
    milliseconds: dict[str, float]

    def named(self, name: str) -> Prediction:
        return Prediction(
            input=name,
            model=self.model,
            width=self.width,
            height=self.height,
            probabilities=self.prediction.probability_distribution,
            emotions=self.predicted_emotions,
            faces=self.faces,
            reactions=Reactions(
                self.allowed_emojis,
                self.blocked_emojis,
                self.suggested_emojis,
                {emoji: reason.model_dump() for emoji, reason in self.reasons.items()},
            ),
            unsure=self.unsure,
            milliseconds=self.milliseconds,
        )


class _Fault(BaseModel):
    code: str
    message: str


class _FailedImage(BaseModel):
    error: _Fault

    def named(self, name: str) -> Failure:
        return Failure(name, self.error.code, f"{name}: {self.error.message}")


class _Batch(BaseModel):
    results: tuple[_Image | _FailedImage, ...]


def prediction(name: str) -> Callable[[Any], Prediction]:
    """Reads the answer of `/predict` to the image of this name."""
    return lambda said: _Image.model_validate(said).named(name)


def batch(names: Sequence[str]) -> Callable[[Any], list[Prediction | Failure]]:
    """Reads the answer of `/predict/batch` to the images of these names."""

    def read(said: Any) -> list[Prediction | Failure]:
        results = _Batch.model_validate(said).results
        if len(results) != len(names):
            raise ValueError(f"{len(results)} results to {len(names)} images")
        return [result.named(name) for result, name in zip(results, names, strict=True)]

    return read


def part(name: str, kind: type[_T]) -> Callable[[Any], _T]:
    """Reads what an answer has under a name."""
    adapter = TypeAdapter(kind)
    return lambda said: adapter.validate_python(said[name])


def whole(kind: type[_T]) -> Callable[[Any], _T]:
    """Reads an answer that is one thing."""
    return TypeAdapter(kind).validate_python


def nothing(said: None) -> None:
    """Reads an answer that has no body."""
    if said is not None:
        raise ValueError("there is a body")


def read(response: httpx.Response, reader: Callable[[Any], _T], request_id: str) -> _T:
    """What an answer says.

    Raises:
        ServerError: it is a refusal, or nothing that an emolens server says.
    """
    if not response.is_success:
        raise _refusal(response, request_id)
    try:
        return reader(response.json() if response.content else None)
    except (ValueError, TypeError, KeyError, RecursionError):  # pydantic's is a ValueError
        message = f"{response.url} answers, but not as an emolens server of this version does; check the address"
        raise ServerError("bad_answer", message, request_id, response.status_code) from None


def from_transport(error: httpx.HTTPError, url: str, request_id: str) -> ServerError:
    """Of what goes wrong on the way to the server and back."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
            return ServerError("unreachable", f"{url} cannot be reached: {reason}; is it running?", request_id)
        case httpx.TimeoutException():
            return ServerError("timeout", f"{url} has not answered in time; give more in `timeout`", request_id)
    return ServerError("broken_off", f"{url} has broken off: {reason}; try again", request_id)


def _refusal(response: httpx.Response, request_id: str) -> ServerError:
    after = _retry_after(response.headers.get("retry-after", ""))
    try:
        fault = part("error", _Fault)(response.json())
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError):  # something in front of the server
        message = f"{response.url} answers {response.status_code} {response.reason_phrase}"
        return ServerError(f"http_{response.status_code}", message, request_id, response.status_code, after)
    return ServerError(fault.code, fault.message, request_id, response.status_code, after)


def _retry_after(text: str) -> float | None:
    """Seconds from now; the header has them, or a date."""
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # a TypeError where the date has no zone
        return None
