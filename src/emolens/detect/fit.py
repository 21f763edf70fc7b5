"""Makes a picture of any size fit for a network that wants multiples of 32, and carries what is found back."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emolens.detect.base import Detections

MULTIPLE = 32
_PADDING = 127  # mid-grey, which normalisation makes nearly zero


@dataclass(frozen=True)
class Fitted:
    """A picture made to fit.

    Attributes:
        pixels: `(H, W, 3)` uint8; the picture lies at the top left, padded on the right and below.
        scale: of the picture's width and height.
        bounds: width and height of the picture that came in.
    """

    pixels: NDArray[np.uint8]
    scale: tuple[float, float]
    bounds: tuple[int, int]

    def restore(self, found: Detections) -> Detections:
        """The detections in pixels of the picture that came in, boxes cut to it."""
        scale = np.array(self.scale, dtype=np.float32)
        edge = np.array(self.bounds, dtype=np.float32)
        low = np.clip(found.boxes[:, :2] / scale, 0, edge)
        high = np.clip((found.boxes[:, :2] + found.boxes[:, 2:]) / scale, 0, edge)
        inside = (high > low).all(axis=1)
        boxes = np.concatenate([low, high - low], axis=1)[inside]
        landmarks = None if found.landmarks is None else (found.landmarks / scale)[inside]
        return Detections(boxes, found.scores[inside], landmarks)


def fit(image: NDArray[Any], longest: int | None = None, canvas: tuple[int, int] | None = None) -> Fitted:
    """Scales and pads.

    Args:
        image: `(H, W, 3)` uint8.
        longest: the picture is made smaller until no side is over this; None keeps its size.
        canvas: `(width, height)` that the result must have; else the next multiples of 32.
    """
    height, width = image.shape[:2]
    scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
    if canvas is not None:
        scale = min(scale, canvas[0] / width, canvas[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = image
    if inner != (width, height):
        # With a gap, much larger pictures are first averaged by a whole factor, in less than half the time.
        pixels = np.asarray(Image.fromarray(image).resize(inner, Image.Resampling.BILINEAR, reducing_gap=1.0))
    wide, high = canvas or (_up(inner[0]), _up(inner[1]))
    padded = np.full((high, wide, 3), _PADDING, dtype=np.uint8)
    padded[: inner[1], : inner[0]] = pixels
    return Fitted(padded, (inner[0] / width, inner[1] / height), (width, height))


def _up(length: int) -> int:
    return MULTIPLE * math.ceil(length / MULTIPLE)
