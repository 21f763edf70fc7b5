"""Whether what a model predicts has shifted since it was evaluated: other emotions, or another confidence."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.feedback.answer import Answer
from emolens.feedback.insights import FEW

Verdict = Literal["too few", "as evaluated", "somewhat different", "clearly different"]

Counts = NDArray[np.float64]

# In bits. For small shifts a population stability index is 8 ln 2 times the divergence, so that these are its usual
# limits of 0.1 and 0.25.
_SOME, _MUCH = 0.018, 0.045

# For small shifts a chi-square is so many times the divergence, times the size of the sample.
_PER_BIT = 8 * math.log(2)

_TENTHS = tuple(tenth / 10 for tenth in range(1, 10))


@dataclass(frozen=True)
class Reference:
    """What a model predicted when it was evaluated.

    Attributes:
        source: what that was measured on, in words.
        labels: in the order of the card.
        predicted: `(L,)` how often each label was the likeliest.
        edges: between the classes of confidence, rising, within 0 to 1.
        confidence: `(len(edges) + 1,)` how many predictions were in each class; None where that is not known.
    """

    source: str
    labels: tuple[str, ...]
    predicted: Counts
    edges: tuple[float, ...] = ()
    confidence: Counts | None = None

    @classmethod
    def of_card(cls, card: ModelCard) -> Self | None:
        """What a card tells: the labels from the confusion matrix of its first measurement that has one, and of the
        confidence how many answers were at or over its threshold of abstention; None where it has no such matrix."""
        for source, measured in card.metrics.items():
            counts = _confusion(measured, len(card.labels))
            if counts is not None:
                predicted = counts.sum(axis=0)
                sure, total = card.abstention, predicted.sum()
                if sure is None:
                    return cls(source, card.labels, predicted)
                classes = total * np.array([1 - sure.coverage, sure.coverage])
                return cls(source, card.labels, predicted, (sure.threshold,), classes)
        return None

    @classmethod
    def of_probabilities(cls, source: str, labels: Sequence[str], probabilities: NDArray[np.float32]) -> Self:
        """Of an evaluation's answers, such as those of `predictions.csv`: the confidence is told in tenths.

        Args:
            source: what they were measured on, in words.
            labels: of the columns.
            probabilities: `(N, L)`.
        """
        predicted = np.bincount(probabilities.argmax(axis=1), minlength=len(labels)).astype(np.float64)
        confidence = _classes(probabilities.max(axis=1), _TENTHS)
        return cls(source, tuple(labels), predicted, _TENTHS, confidence)


@dataclass(frozen=True)
class Shift:
    """How far one distribution is from the other.

    Attributes:
        names: of the classes.
        expected: `(C,)` their shares in the evaluation.
        found: `(C,)` their shares in the answers.
        divergence: Jensen-Shannon (Lin, 1991), in bits: 0 where they are the same, 1 where they share nothing.
        chance: what samples of this size stay under 19 times of 20 where nothing has shifted.
        verdict: in words.
    """

    names: tuple[str, ...]
    expected: Counts
    found: Counts
    divergence: float
    chance: float
    verdict: Verdict


@dataclass(frozen=True)
class Drift:
    """What has shifted between an evaluation and the answers.

    Attributes:
        source: what the evaluation was measured on, in words.
        answers: how many there are.
        emotions: the shift of what is predicted.
        confidence: the shift of the confidence in it; None where the evaluation does not tell.
    """

    source: str
    answers: int
    emotions: Shift
    confidence: Shift | None


def drift(answers: Iterable[Answer], reference: Reference) -> Drift:
    """Holds the predictions that people answered to against those of an evaluation.

    Args:
        answers: about one version of a model; whoever finds a prediction wrong answers more readily, so that these are
            no fair draw of all predictions.
        reference: of the same version.
    """
    answers = list(answers)
    labels = tuple(dict.fromkeys((*reference.labels, *(answer.predicted for answer in answers))))
    predicted = np.zeros(len(labels))
    for answer in answers:
        predicted[labels.index(answer.predicted)] += 1
    expected = np.concatenate([reference.predicted, np.zeros(len(labels) - len(reference.labels))])
    confidence = None
    if reference.confidence is not None:
        found = _classes(np.array([answer.confidence for answer in answers]), reference.edges)
        confidence = _shift(_class_names(reference.edges), reference.confidence, found)
    return Drift(reference.source, len(answers), _shift(labels, expected, predicted), confidence)


def _shift(names: tuple[str, ...], expected: Counts, found: Counts) -> Shift:
    before, now = float(expected.sum()), float(found.sum())
    shares, others = expected / max(1.0, before), found / max(1.0, now)
    divergence, chance = jensen_shannon(shares, others), 1.0
    if before and now:
        degrees = max(1, int(np.count_nonzero(expected + found)) - 1)
        chance = min(1.0, _chi_square_95(degrees) * (1 / before + 1 / now) / _PER_BIT)
    return Shift(names, shares, others, divergence, chance, _verdict(min(before, now), divergence, chance))


def jensen_shannon(first: Counts, second: Counts) -> float:
    """The divergence of two distributions, `(C,)` each, in bits."""
    divergence = _entropy((first + second) / 2) - (_entropy(first) + _entropy(second)) / 2
    return min(1.0, max(0.0, divergence))


def _entropy(shares: Counts) -> float:
    there = shares[shares > 0]
    return -float((there * np.log2(there)).sum())


def _verdict(size: float, divergence: float, chance: float) -> Verdict:
    if size < FEW:
        return "too few"
    if divergence <= max(_SOME, chance):
        return "as evaluated"
    return "somewhat different" if divergence <= _MUCH else "clearly different"


def _chi_square_95(degrees: int) -> float:
    """The 95th percentile (Wilson and Hilferty, 1931), right to a percent or two."""
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + 1.644854 * part**0.5) ** 3)


def _classes(confidences: NDArray[Any], edges: Sequence[float]) -> Counts:
    places = np.searchsorted(np.asarray(edges), confidences, side="right")
    return np.bincount(places, minlength=len(edges) + 1).astype(np.float64)


def _class_names(edges: Sequence[float]) -> tuple[str, ...]:
    inner = (f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges))
    return (f"under {edges[0]:.0%}", *inner, f"{edges[-1]:.0%} and over")


def _confusion(measured: Any, labels: int) -> Counts | None:
    """Cards come from anywhere: only a square of counts is taken."""
    found = measured.get("confusion") if isinstance(measured, Mapping) else None
    try:
        counts = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    is_right = counts.shape == (labels, labels) and np.isfinite(counts).all() and (counts >= 0).all()
    return counts if is_right and counts.sum() > 0 else None
