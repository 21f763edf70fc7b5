"""What answers tell: how often people agree, what they say instead, and whether what is predicted has shifted."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emolens.feedback.answer import Answer

Period = Literal["day", "week", "month"]

FEW = 30
"""Fewer answers than this are shown, but nothing is concluded from them."""

_Z = 1.959964  # 95 % of a normal distribution lie within so many deviations

_STARTS: dict[Period, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


@dataclass(frozen=True)
class Share:
    """A share of answers with its 95 % interval (Wilson, 1927), which is honest for few answers and at 0 and 1.

    Attributes:
        part: how many of them.
        of: how many there are.
    """

    part: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1; not a number where there are no answers."""
        return self.part / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """From where to where the share may well lie; 0 to 1 where there are no answers."""
        if not self.of:
            return 0.0, 1.0
        weight = _Z**2 / self.of
        centre = (self.value + weight / 2) / (1 + weight)
        reach = math.sqrt(weight * (self.value * (1 - self.value) + weight / 4)) / (1 + weight)
        # Rounding must not leave the share itself outside.
        return min(max(0.0, centre - reach), self.value), max(min(1.0, centre + reach), self.value)

    @property
    def few(self) -> bool:
        """Whether there are too few answers to conclude anything."""
        return self.of < FEW


@dataclass(frozen=True)
class Agreement:
    """How often people agreed within a period.

    Attributes:
        start: the first day of the period, in UTC.
        emotion: what was predicted; None for all answers of the period.
        share: of the answers that agreed.
    """

    start: date
    emotion: str | None
    share: Share


@dataclass(frozen=True)
class Confusion:
    """What people said of what was predicted.

    Attributes:
        labels: of rows and columns.
        counts: `(L, L)` float64, a row per label that was said, a column per label that was predicted; an answer with
            several labels is shared out between their rows.
        answers: how many there are.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.float64]
    answers: int


def by_version(answers: Iterable[Answer]) -> dict[tuple[str, str], list[Answer]]:
    """The answers by name and version of the model that they are about."""
    groups: defaultdict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.model, answer.version].append(answer)
    return dict(sorted(groups.items()))


def agreement(answers: Iterable[Answer]) -> Share:
    """The share of the answers that agree with what was predicted."""
    agreed = [answer.agreed for answer in answers]
    return Share(sum(agreed), len(agreed))


def agreement_over_time(answers: Iterable[Answer], period: Period = "week") -> list[Agreement]:
    """By period, of all answers and of each predicted emotion; periods without answers are left out."""
    groups: defaultdict[tuple[date, str | None], list[Answer]] = defaultdict(list)
    for answer in answers:
        start = _STARTS[period](answer.created.astimezone(UTC).date())
        groups[start, None].append(answer)
        groups[start, answer.predicted].append(answer)
    in_order = sorted(groups, key=lambda key: (key[0], key[1] or ""))
    return [Agreement(start, emotion, agreement(groups[start, emotion])) for start, emotion in in_order]


def confusion(answers: Iterable[Answer]) -> Confusion:
    """What was said against what was predicted, over all labels that any of the models knows."""
    answers = list(answers)
    labels = tuple(dict.fromkeys(label for answer in answers for label in answer.labels))
    place = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)))
    for answer in answers:
        for label in answer.said:
            counts[place[label], place[answer.predicted]] += 1 / len(answer.said)
    return Confusion(labels, counts, len(answers))
