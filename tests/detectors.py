"""Detectors for tests: they find what a test drew, so that the answer is known to the pixel."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emolens.detect.base import Detections
from emolens.results import Box


@dataclass
class MagentaPatches:
    """Takes every column range that holds pure magenta for a face."""

    size: int | None = None
    name: str = "magenta"

    def for_many(self) -> Self:
        return self

    def detect(self, image: NDArray[Any]) -> Detections:
        magenta = (image == (255, 0, 255)).all(axis=2)
        edges = np.flatnonzero(np.diff(np.pad(magenta.any(axis=0), 1)))
        boxes = []
        for left, right in edges.reshape(-1, 2):
            rows = np.flatnonzero(magenta[:, left:right].any(axis=1))
            boxes.append((left, rows[0], right - left, rows[-1] + 1 - rows[0]))
        return _detections(boxes, [1.0] * len(boxes))


@dataclass
class Told:
    """Finds what it was told to find, in pixels of the array that is searched."""

    boxes: Sequence[Box]
    scores: Sequence[float]
    size: int | None = None
    name: str = "told"

    def for_many(self) -> Self:
        return self

    def detect(self, image: NDArray[Any]) -> Detections:  # noqa: ARG002
        return _detections(self.boxes, self.scores)


class HeldUp(MagentaPatches):
    """Counts the images that it has begun, and finds nothing before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.begun = 0

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        self.begun += 1
        self.free.wait(10)
        return super().detect(image)


def _detections(boxes: Sequence[Any], scores: Sequence[float]) -> Detections:
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))
