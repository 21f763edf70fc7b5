"""Which face of a frame is which of the frames before, by where it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emolens.results import Box


class Tracker:
    """Gives the faces of one stream their ids, from 1 on; an id is never used anew.

    Each face gets the id of the one that it overlaps most, pair by pair, the best first (the greedy matching of many
    trackers), and a new id where it overlaps none. It moves little from frame to frame as long as these come fast.

    Args:
        overlap: intersection over union of two boxes from which on they may be the same face.
        patience: frames in which a face may be missing and still keep its id.
    """

    def __init__(self, overlap: float = 0.3, patience: int = 10) -> None:
        self._overlap, self._patience = overlap, patience
        self._known: dict[int, tuple[Box, int]] = {}
        self._frame = self._last = 0

    def assign(self, boxes: Sequence[Box]) -> list[int]:
        """The ids of the faces of the next frame.

        Args:
            boxes: `(x, y, w, h)`, in any unit that is the same in all frames.

        Returns:
            One id per box; none stands there twice.
        """
        self._frame += 1
        self._known = {
            name: (box, seen) for name, (box, seen) in self._known.items() if self._frame - seen <= self._patience + 1
        }
        names = list(self._known)
        overlaps = intersection_over_union(boxes, [self._known[name][0] for name in names])
        found: dict[int, int] = {}
        for index in np.argsort(-overlaps, axis=None, kind="stable"):
            here, there = divmod(int(index), len(names))
            if overlaps[here, there] < self._overlap:
                break
            if here not in found and names[there] not in found.values():
                found[here] = names[there]
        ids = [found.get(here) or self._new() for here in range(len(boxes))]
        self._known |= {name: (box, self._frame) for name, box in zip(ids, boxes, strict=True)}
        return ids

    def _new(self) -> int:
        self._last += 1
        return self._last


def intersection_over_union(some: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """How much boxes overlap.

    Returns:
        `(N, M)`, 0 to 1; 0 for boxes without an area.
    """
    a, b = (np.array(boxes, np.float64).reshape(-1, 4) for boxes in (some, others))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    a_ends, b_ends = a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]
    high = np.minimum(a_ends[:, None], b_ends[None])
    shared = (high - low).clip(0).prod(axis=-1)
    # Of the ends as they are rounded, since a sliver could else share more than it has.
    areas = (a_ends - a[:, :2]).prod(axis=-1)[:, None], (b_ends - b[:, :2]).prod(axis=-1)
    union = areas[0] + areas[1] - shared
    overlaps: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlaps
