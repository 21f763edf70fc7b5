"""How well a detector finds the faces of photographs: matching, recall, false boxes, precision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emolens.detect.base import Detections
from emolens.detect.boxes import area, intersection, iou

Floats = NDArray[np.float32]

MATCHED = 0.35
_FALSE_BELOW = 0.2
_COVERED = 0.5

HIT, FALSE, NEITHER = 1, 0, -1


@dataclass(frozen=True)
class Matches:
    """What became of the detections and of the faces of one or more photographs.

    Attributes:
        scores: `(D,)` of the detections.
        kinds: `(D,)`: `HIT`, `FALSE` (on no face and no ignored region) or `NEITHER` (a double, a loose box, an ignored
            region).
        sides: `(F,)` of the faces: root of their area in pixels.
        found: `(F,)` the score of the detection that hit the face, 0 where none did.
        photos: how many.
    """

    scores: Floats
    kinds: NDArray[np.int64]
    sides: Floats
    found: Floats
    photos: int = 1

    @classmethod
    def joined(cls, parts: Sequence["Matches"]) -> "Matches":
        return cls(
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.sides for part in parts]),
            np.concatenate([part.found for part in parts]),
            sum(part.photos for part in parts),
        )

    def recall(self, threshold: float, smallest: float = 0, largest: float = np.inf) -> float:
        """The share found of the faces of at least `smallest` and less than `largest` pixels."""
        wanted = (self.sides >= smallest) & (self.sides < largest)
        return float((self.found[wanted] >= max(threshold, 1e-9)).mean()) if wanted.any() else float("nan")

    def false_boxes(self, threshold: float) -> int:
        return int(((self.kinds == FALSE) & (self.scores >= threshold)).sum())

    def average_precision(self) -> float:
        """Area under precision over recall, as in PASCAL VOC 2010."""
        counted = self.kinds != NEITHER
        order = np.argsort(-self.scores[counted], kind="stable")
        hits = np.cumsum(self.kinds[counted][order] == HIT)
        precision = hits / np.arange(1, len(hits) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return float((np.diff(hits, prepend=0) * envelope).sum() / max(len(self.sides), 1))

    def threshold_for(self, false_per_photo: float) -> float:
        """The lowest score at which there are at most so many false boxes per photograph."""
        false_scores = np.sort(self.scores[self.kinds == FALSE])[::-1]
        allowed = int(false_per_photo * self.photos)
        return float(false_scores[allowed]) + 1e-4 if allowed < len(false_scores) else 0.0


def match(found: Detections, boxes: Floats, ignore: Floats) -> Matches:
    """Matches detections, best score first, to the faces of one photograph.

    Args:
        found: best first.
        boxes: `(F, 4)` of the faces.
        ignore: `(I, 4)` of regions that are neither face nor background.
    """
    overlap = iou(found.boxes, boxes)
    covered = intersection(found.boxes, ignore) / np.maximum(area(found.boxes), 1e-6)[:, None]
    touches = (overlap >= _FALSE_BELOW).any(axis=1) | (iou(found.boxes, ignore) >= _FALSE_BELOW).any(axis=1)
    kinds = np.where(touches | (covered >= _COVERED).any(axis=1), NEITHER, FALSE)
    face_scores = np.zeros(len(boxes), dtype=np.float32)
    for index, score in enumerate(found.scores):
        free = np.where(face_scores == 0, overlap[index], 0)
        if len(boxes) and free.max() >= MATCHED:
            face_scores[free.argmax()] = score
            kinds[index] = HIT
    return Matches(found.scores, kinds, np.sqrt(area(boxes)), face_scores)
