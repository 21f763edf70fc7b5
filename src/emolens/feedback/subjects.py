"""What answers are about: those on one face, or on one image, are put together and become its target."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emolens.detect.boxes import iou
from emolens.feedback.answer import Answer
from emolens.labels import project_label
from emolens.results import Box

Vote = NDArray[np.float64]

# Boxes of one face that two models, or one model in two versions, have found differ a little.
_SAME_FACE = 0.5

_SPLITS = (("train", 0.8), ("val", 0.9), ("test", 1.0))


@dataclass
class Subject:
    """A face, or a whole image.

    Attributes:
        name: the id of the first answer about it.
        split: `train`, `val` or `test`, for 80, 10 and 10 of 100 photographs.
        box: of the face, as the first answer has it; None for a whole image.
        votes: `(L,)` each, one per answer.
    """

    name: str
    split: str
    box: Box | None
    votes: list[Vote] = field(default_factory=list)

    @property
    def opinion(self) -> Vote:
        """`(L,)`: the mean of the votes."""
        mean: Vote = np.mean(self.votes, axis=0)
        return mean


class Subjects:
    """All of them, in the order in which they came."""

    def __init__(self) -> None:
        self._of_photo: defaultdict[str, list[Subject]] = defaultdict(list)

    def __iter__(self) -> Iterator[Subject]:
        return (subject for subjects in self._of_photo.values() for subject in subjects)

    def add(self, image_sha256: str, answer: Answer, vote: Vote) -> Subject:
        """Counts a vote, for a subject that is there already or for a new one."""
        of_photo = self._of_photo[image_sha256]
        subject = next((one for one in of_photo if _is_same(one.box, answer.box)), None)
        if subject is None:
            subject = Subject(answer.client_id, _split(image_sha256), answer.box)
            of_photo.append(subject)
        subject.votes.append(vote)
        return subject


def vote_of(said: Sequence[str], labels: Sequence[str]) -> Vote | None:
    """One vote, shared out between what was said: `(len(labels),)` that sums to one; None where no label has room."""
    places = [labels.index(place) for place in (project_label(label, labels) for label in said) if place is not None]
    if not places:
        return None
    return np.bincount(places, minlength=len(labels)) / len(places)


def _is_same(box: Box | None, other: Box | None) -> bool:
    if box is None or other is None:
        return box is other
    first, second = (np.array([one], np.float32) for one in (box, other))
    return bool(iou(first, second)[0, 0] >= _SAME_FACE)


def _split(image_sha256: str) -> str:
    """By the photograph alone: what is held out today is held out from every later training, too."""
    draw = int(image_sha256[:8], 16) / 2**32
    return next(name for name, end in _SPLITS if draw < end)
