"""What a process of the `LookPool` does: images in by standard input, looks out by standard output."""

import os
import pickle
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emolens.classifier import Classifier, Framing
from emolens.detect.base import Detector
from emolens.errors import EmolensError
from emolens.image import Limits
from emolens.look import Look, Looker
from emolens.predictor import open_classifier, open_detector

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


def main() -> None:
    """Answers until the server is no more.

    Messages are pickled, since both ends are ours, and images stay bytes in them. The first to come are the limits, and
    the answer, once all is open, is None; then every image file and `Asked` has a `Seen` or an exception as its answer.
    """
    questions, answers = os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        limits = hear(questions)
        _detector()  # so that no client waits for it
        say(None, answers)
        while True:
            data, model = hear(questions)
            say(_answered(data, model, limits), answers)
    except (EOFError, pickle.UnpicklingError, BrokenPipeError):
        os._exit(0)  # nothing is left to be done, nor anybody to whom what is half said could be told


def say(message: Any, to: IO[bytes]) -> None:
    """Writes a message for the other end to `hear`."""
    pickle.dump(message, to, pickle.HIGHEST_PROTOCOL)
    to.flush()


def hear(source: IO[bytes]) -> Any:
    """The next message; EOFError where the other end is no more, UnpicklingError where it went in the middle of one."""
    return pickle.load(source)  # noqa: S301 (a pipe that nobody but the server and its own process can write to)


def _answered(data: bytes, model: Asked, limits: Limits) -> Seen | Exception:
    try:
        return _look(data, model, limits)
    except EmolensError as error:
        return error
    except Exception as error:  # noqa: BLE001 (it belongs to the request, and may not be fit to be sent)
        return RuntimeError(f"{type(error).__name__}: {error}")


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
