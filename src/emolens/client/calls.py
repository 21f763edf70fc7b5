"""Every endpoint as a call: what is sent, and how the answer is read; the clients differ only in who waits."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from emolens.client import answers
from emolens.client.answers import LivePolicy, ServedModel
from emolens.client.uploads import Upload
from emolens.feedback.answer import Answer, Opinion
from emolens.results import Failure, Prediction

T = TypeVar("T")

Repeat = Literal["always", "if_not_done", "never"]

_BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and what comes of it.

    Attributes:
        read: the answer's JSON -> what the client returns.
        sent: the arguments of httpx' `request`, besides method and path.
        repeat: when to try again: whatever was in the way; only where it has not been done, as of what changes things;
            or never, as of what asks how it is.
        image: the name of the one image that is asked about.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    sent: Mapping[str, Any] = field(default_factory=dict)
    repeat: Repeat = "always"
    image: str | None = None


@dataclass(frozen=True)
class Options:
    """How images are to be read; what is None is the server's to say."""

    model: str | None = None
    policy: str | None = None
    threshold: float | None = None

    def parameters(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


def predict(upload: Upload, options: Options) -> Call[Prediction]:
    return Call("POST", "/predict", answers.prediction(upload.name), _body(upload, options), image=upload.name)


def predict_emojis(upload: Upload, options: Options) -> Call[list[str]]:
    read = answers.part("emojis", list[str])
    return Call("POST", "/predict_emojis", read, _body(upload, options), image=upload.name)


def predict_batch(uploads: Sequence[Upload], options: Options) -> Call[list[Prediction | Failure]]:
    # The files' own names stay here.
    files = [("file", ("file", upload.data, _BINARY)) for upload in uploads]
    sent = {"params": options.parameters(), "files": files}
    names = [upload.name for upload in uploads]
    return Call("POST", "/predict/batch", answers.batch(names), sent, image=names[0] if len(names) == 1 else None)


def emotions() -> Call[list[str]]:
    return Call("GET", "/emotions", answers.part("emotions", list[str]))


def emotion_mappings() -> Call[dict[str, dict[str, list[str]]]]:
    return Call("GET", "/emotion_mappings", answers.part("mappings", dict[str, dict[str, list[str]]]))


def models() -> Call[list[ServedModel]]:
    return Call("GET", "/models", answers.part("models", list[ServedModel]))


def policy() -> Call[LivePolicy]:
    return Call("GET", "/policy", answers.whole(LivePolicy))


def put_policy(text: str) -> Call[LivePolicy]:
    sent = {"content": text.encode(), "headers": {"Content-Type": "application/yaml"}}
    return Call("PUT", "/policy", answers.whole(LivePolicy), sent, repeat="if_not_done")


def roll_back_policy(version: int) -> Call[LivePolicy]:
    sent = {"params": {"version": version}}
    return Call("POST", "/policy/rollback", answers.whole(LivePolicy), sent, repeat="if_not_done")


def feedback(answer: Answer) -> Call[bool]:
    opinion = answer.model_dump(mode="json", include=set(Opinion.model_fields))
    image = {} if answer.image is None else {"image": base64.b64encode(answer.image).decode()}
    return Call("POST", "/feedback", answers.part("new", bool), {"json": opinion | image})


def delete_feedback(client_id: str) -> Call[None]:
    return Call("DELETE", f"/feedback/{quote(client_id, safe='')}", answers.nothing)


def health() -> Call[bool]:
    return Call("GET", "/health", answers.part("model_loaded", bool), repeat="never")


def ready() -> Call[bool]:
    return Call("GET", "/ready", answers.part("ready", bool), repeat="never")


def _body(upload: Upload, options: Options) -> dict[str, Any]:
    return {"params": options.parameters(), "content": upload.data, "headers": {"Content-Type": _BINARY}}
