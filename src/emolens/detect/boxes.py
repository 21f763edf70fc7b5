"""Arithmetic of boxes `(x, y, w, h)`: overlap and the suppression of doubles."""

import numpy as np
from numpy.typing import NDArray

from emolens.detect.base import Detections

Floats = NDArray[np.float32]

MOST_OVERLAP = 0.4

# Of a box that lies in a better one: eyes and mouths of a large face look like small faces.
_MOST_INSIDE = 0.8

# What a hostile picture or file can make of suppression, which takes the square of their number.
_MOST_CANDIDATES = 5000


def iou(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union of every box with every other: `(N, 4)`, `(M, 4)` -> `(N, M)`."""
    shared = intersection(boxes, others)
    union = area(boxes)[:, None] + area(others) - shared
    ratio: Floats = shared / np.maximum(union, np.float32(1e-6))
    return ratio


def intersection(boxes: Floats, others: Floats) -> Floats:
    """Shared area of every box with every other: `(N, 4)`, `(M, 4)` -> `(N, M)`."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], others[:, :2] + others[:, 2:])
    sides = np.maximum(high - low, 0)
    shared: Floats = sides[..., 0] * sides[..., 1]
    return shared


def area(boxes: Floats) -> Floats:
    """`(N, 4)` -> `(N,)`."""
    product: Floats = boxes[:, 2] * boxes[:, 3]
    return product


def joined(first: Detections, second: Detections) -> Detections:
    """The detections of two searches of one picture, both with landmarks; of doubles the better one."""
    assert first.landmarks is not None
    assert second.landmarks is not None
    return standing(
        np.concatenate([first.boxes, second.boxes]),
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.landmarks, second.landmarks]),
    )


def standing(boxes: Floats, scores: Floats, landmarks: Floats) -> Detections:
    """The detections that no better one overlaps, best score first."""
    best = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
    kept = best[suppress(boxes[best], MOST_OVERLAP)]
    return Detections(boxes[kept], scores[kept], landmarks[kept])


def suppress(boxes: Floats, most_overlap: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: `(N, 4)`, best score first.
        most_overlap: a box whose IoU with a better one is over this is dropped, and so is one that lies in a better
            one.

    Returns:
        Indices of the boxes that stay.
    """
    areas, low, high = area(boxes), boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    left = np.arange(len(boxes))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        # As in `intersection`, in fewer steps.
        sides = np.maximum(np.minimum(high[left], high[best]) - np.maximum(low[left], low[best]), 0)
        shared, others = sides[:, 0] * sides[:, 1], areas[left]
        overlaps = shared > most_overlap * (areas[best] + others - shared)
        left = left[~overlaps & (shared <= _MOST_INSIDE * others)]
    return np.array(kept, dtype=np.intp)
