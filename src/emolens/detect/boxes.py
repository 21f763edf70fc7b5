"""Arithmetic of boxes `(x, y, w, h)`: overlap and the suppression of doubles."""

import numpy as np
from numpy.typing import NDArray

from emolens.detect.base import Detections

Floats = NDArray[np.float32]

MOST_OVERLAP = 0.4

# Of a box that lies in a better one: eyes and mouths of a large face look like small faces.
_MOST_INSIDE = 0.8

# Of a side, in strides: what a broken network says must not overflow.
_LARGEST_LOG = 6.0

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
    return _shared(*_corners(boxes[:, None]), *_corners(others))


def _corners(boxes: Floats) -> tuple[Floats, Floats]:
    """Top left and bottom right: `(..., 4)` -> twice `(..., 2)`."""
    return boxes[..., :2], boxes[..., :2] + boxes[..., 2:]


def _shared(low: Floats, high: Floats, other_low: Floats, other_high: Floats) -> Floats:
    """Shared area, from the corners of boxes and others that go together."""
    sides = np.maximum(np.minimum(high, other_high) - np.maximum(low, other_low), 0)
    shared: Floats = sides[..., 0] * sides[..., 1]
    return shared


def area(boxes: Floats) -> Floats:
    """`(N, 4)` -> `(N,)`."""
    product: Floats = boxes[:, 2] * boxes[:, 3]
    return product


def at_cells(
    cells: NDArray[np.intp], columns: int, stride: int, boxes: Floats, landmarks: Floats, offset: float = 0.0
) -> tuple[Floats, Floats]:
    """What a network says of cells of a map, in pixels.

    Args:
        cells: `(N,)`, counted row by row.
        columns: of the map.
        stride: pixels from one cell to the next.
        boxes: `(N, 4)`, in strides: the centre from the cell's place, the logarithms of width and height.
        landmarks: `(N, 10)`, in strides from the cell's place.
        offset: of that place from the cell's top left corner, in strides.

    Returns:
        Boxes `(N, 4)` and landmarks `(N, 5, 2)`.
    """
    places = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32) + np.float32(offset)
    sides = np.exp(np.minimum(boxes[:, 2:], _LARGEST_LOG))
    laid_out = np.concatenate([places + boxes[:, :2] - sides / 2, sides], axis=1)
    return stride * laid_out, stride * (landmarks.reshape(-1, 5, 2) + places[:, None])


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
    areas, (low, high) = area(boxes), _corners(boxes)
    left = np.arange(len(boxes))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        shared, others = _shared(low[best], high[best], low[left], high[left]), areas[left]
        overlaps = shared > most_overlap * (areas[best] + others - shared)
        left = left[~overlaps & (shared <= _MOST_INSIDE * others)]
    return np.array(kept, dtype=np.intp)
