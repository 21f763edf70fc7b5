"""What a process of the `LookPool` does: images in by standard input, looks out by standard output."""

import os
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from emolens.classifier import Classifier, Framing
from emolens.detect.base import Detector
from emolens.errors import EmolensError, ImageError
from emolens.image import Limits
from emolens.look import Look, Looker
from emolens.predictor import open_classifier, open_detector
from emolens.serving.messages import Message, hear, say

# No file of the client's has a name here: names stand in messages, and may be anything.
_NAME = "file"

# With so many faces, a call of the model gains nothing by those of other images.
_COMPANY = 8

Seen = tuple[Look, NDArray[np.float32] | None]


@dataclass(frozen=True)
class Asked:
    """What a process has to know of a model.

    Attributes:
        framings: how it wants faces cut.
        for_faces: whether faces are searched, or the whole image is the crop.
        path: of its file.
        sha256: of the file.
    """

    framings: tuple[Framing, ...]
    for_faces: bool
    path: Path
    sha256: str


_ASKED = TypeAdapter(Asked)


def main() -> None:
    """Answers until the server is no more.

    The first message to come is the limits, and the answer, once all is open, is empty; then every `question` has its
    answer, of which `seen` makes a `Seen` or an exception.
    """
    questions, answers = os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        limits = Limits(**hear(questions)[0])
        _detector()  # so that no client waits for it
        say(answers, {})
        while True:
            words, (data,) = hear(questions)
            words, arrays = _answer(data.tobytes(), _ASKED.validate_python(words), limits)
            say(answers, words, *arrays)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nothing is left to be done, nor anybody to whom what is half said could be told


def question(data: bytes, asked: Asked) -> Message:
    """The message that asks for a look at an image file."""
    return _ASKED.dump_python(asked, mode="json"), [np.frombuffer(data, np.uint8)]


def seen(answer: Message) -> Seen:
    """What a process has seen; raises what it raised."""
    words, arrays = answer
    if "code" in words:
        raise ImageError(words["code"], words["message"])
    if "fault" in words:
        raise RuntimeError(words["fault"])
    boxes, scores, *framed = arrays
    rows = framed.pop() if words["classified"] else None
    look = Look(words["name"], words["width"], words["height"], boxes, scores, tuple(framed), words["milliseconds"])
    return look, rows


def _answer(data: bytes, asked: Asked, limits: Limits) -> Message:
    try:
        look, rows = _look(data, asked, limits)
    except ImageError as error:
        return {"code": error.code, "message": str(error)}, []
    except Exception as error:  # noqa: BLE001 (it belongs to the request)
        return {"fault": f"{type(error).__name__}: {error}"}, []
    arrays: list[NDArray[Any]] = [look.boxes, look.scores, *look.framed]
    if rows is not None:
        arrays.append(rows)
    words = {"name": look.name, "width": look.width, "height": look.height, "milliseconds": look.milliseconds}
    return words | {"classified": rows is not None}, arrays


def _look(data: bytes, asked: Asked, limits: Limits) -> Seen:
    looker = Looker(asked.framings, _detector() if asked.for_faces else None, limits)
    look = looker.look(data, _NAME)
    model = _classifier(asked.path, asked.sha256) if len(look) >= _COMPANY else None
    if model is None:
        return look, None
    start = perf_counter()
    rows = model.classify(look.framed)
    milliseconds = {**look.milliseconds, "classify": 1e3 * (perf_counter() - start)}
    return replace(look, framed=looker.frame([]), milliseconds=milliseconds), rows


@cache
def _detector() -> Detector:
    return open_detector("detector", threads=1)


@lru_cache(maxsize=8)
def _classifier(path: Path, sha256: str) -> Classifier | None:
    """The model of a file; None if another has taken its place, which the server will hear of, too."""
    try:
        model = open_classifier(path, threads=1)
    except EmolensError:
        return None
    return model if model.about["sha256"] == sha256 else None
