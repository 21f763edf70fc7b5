"""Finds what stands out from a plain background by its colour, such as the emoji of a screenshot."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emolens.detect.base import Detections

_SEARCHED = 512
_MOST_BLOBS = 300

# Of the frame around the picture, and how far a colour may be from the background's in any channel, of 255.
_PLAIN = 0.7
_TOLERANCE = 24

# Parts so near to each other, in pixels as searched, are one: tears beside a face, sweat above it.
_GAP = 2

# Of what is an emoji: pixels as searched, of the largest one's side, the longer side over the shorter one, of the box.
_SMALLEST, _SMALLEST_SHARE, _LONGEST, _FILLED = 12, 0.25, 1.6, 0.5

Ints = NDArray[np.intp]


class BlobDetector:
    """A detector of round and square blobs on a background of one colour, in a picture's whole frame.

    Attributes:
        name: `blobs`.
        size: the longest side that it wants of a picture, so that crops are sharp; it searches at half of it.
    """

    name = "blobs"
    size: int | None = 2 * _SEARCHED

    def detect(self, image: NDArray[Any]) -> Detections:
        """Boxes of the blobs, without landmarks; none where the picture's frame is not of one colour.

        The score is how much of its box a blob fills, 1 from a disc on.
        """
        factor = max(1, math.ceil(max(image.shape[:2]) / _SEARCHED))
        small = np.asarray(Image.fromarray(image).reduce(factor)).astype(np.int16)
        frame = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
        background = np.median(frame, axis=0)
        if (_distance(frame, background) <= _TOLERANCE).mean() < _PLAIN:
            return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        boxes, pixels = _blobs(_distance(small, background) > _TOLERANCE)
        sides = boxes[:, 2:]
        filled = pixels / sides.prod(axis=1)
        longer, shorter = sides.max(axis=1), sides.min(axis=1)
        fit = (shorter >= _SMALLEST) & (longer <= _LONGEST * shorter) & (filled >= _FILLED)
        fit &= longer >= _SMALLEST_SHARE * longer[fit].max(initial=0)
        scores = np.minimum(filled / (math.pi / 4), 1)
        best = np.flatnonzero(fit)[np.argsort(-scores[fit], kind="stable")][:_MOST_BLOBS]
        return Detections((boxes[best] * factor).astype(np.float32), scores[best].astype(np.float32))

    def for_many(self) -> "BlobDetector":
        """Itself, since each call takes one thread anyway."""
        return self


def _distance(colours: NDArray[Any], colour: NDArray[Any]) -> NDArray[Any]:
    """The largest difference in any channel: `(..., 3)` -> `(...)`."""
    distance: NDArray[Any] = np.abs(colours - colour).max(axis=-1)
    return distance


def _blobs(stands_out: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Boxes `(N, 4)` of what hangs together, small gaps closed, and how many pixels each has, `(N,)`."""
    margin, closing = _GAP + 1, 2 * _GAP + 1
    room = Image.fromarray(np.pad(stands_out, margin)).convert("L")
    closed = np.asarray(room.filter(ImageFilter.MaxFilter(closing)).filter(ImageFilter.MinFilter(closing))) > 0
    rows, starts, ends = _runs(closed)
    labels, blob = np.unique(_connected(rows, starts, ends, closed.shape[1]), return_inverse=True)
    low = np.full((len(labels), 2), np.iinfo(np.intp).max)
    high, pixels = np.zeros((len(labels), 2), np.intp), np.zeros(len(labels), np.intp)
    np.minimum.at(low, blob, np.column_stack([starts, rows]))
    np.maximum.at(high, blob, np.column_stack([ends, rows + 1]))
    np.add.at(pixels, blob, ends - starts)
    return np.concatenate([low - margin, high - low], axis=1), pixels


def _runs(mask: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Row, start and end of every run of true in a row; the mask's first and last columns are false."""
    edges = np.diff(mask.astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts + 1, np.nonzero(edges == -1)[1] + 1


def _connected(rows: Ints, starts: Ints, ends: Ints, width: int) -> Ints:
    """For every run the first of those that it hangs together with, over any number of rows."""
    above = (rows - 1) * width
    first = np.searchsorted(rows * width + ends, above + starts, side="right")
    last = np.searchsorted(rows * width + starts, above + ends, side="left")
    counts = (last - first).clip(0)
    run = np.repeat(np.arange(len(rows)), counts)
    touched = np.repeat(first, counts) + np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    root = np.arange(len(rows))
    while (low := np.minimum(root[run], root[touched])).size and (low != np.maximum(root[run], root[touched])).any():
        np.minimum.at(root, root[run], low)
        np.minimum.at(root, root[touched], low)
        while (root != root[root]).any():
            root = root[root]
    return root
