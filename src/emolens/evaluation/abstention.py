"""Abstention: how often a model is wrong where it answers, when it may say that it is unsure."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolens.errors import DataError

Floats = NDArray[np.float64]


class RiskCoverage(NamedTuple):
    """The risk-coverage curve (El-Yaniv & Wiener, 2010): a point for each distinct confidence, the highest first.

    Attributes:
        thresholds: `(T,)`, falling: an answer at or over it is given.
        coverage: `(T,)`, rising to one: the share of samples that are answered then.
        risk: `(T,)`: the share of wrong ones among those answers.
    """

    thresholds: Floats
    coverage: Floats
    risk: Floats


class OperatingPoint(NamedTuple):
    """A point of the curve: what the samples showed at this threshold."""

    threshold: float
    risk: float
    coverage: float


def risk_coverage(confidence: ArrayLike, right: ArrayLike) -> RiskCoverage:
    """What each threshold on the confidence would cost and leave.

    Samples of the same confidence are answered together, since no threshold tells them apart.

    Args:
        confidence: `(N,)`, such as the top probability.
        right: `(N,)` bool: whether the answer is right.

    Raises:
        DataError: there is no sample, the two differ in length, or a confidence is NaN or infinite.
    """
    sure, correct = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if sure.ndim != 1 or sure.shape != correct.shape or not len(sure):
        raise DataError(
            f"confidence has the shape {sure.shape} and right {correct.shape}; pass one of each for every sample"
        )
    if not np.isfinite(sure).all():
        raise DataError(f"the confidence of row {np.isfinite(sure).argmin()} is NaN or infinity; the model is broken")
    order = np.argsort(-sure)
    thresholds = sure[order]
    last_of_confidence = np.append(np.diff(thresholds) != 0, True)
    answered = np.flatnonzero(last_of_confidence) + 1
    wrong = np.cumsum(~correct[order])[last_of_confidence]
    return RiskCoverage(thresholds[last_of_confidence], answered / len(sure), wrong / answered)


def choose_threshold(confidence: ArrayLike, right: ArrayLike, risk: float) -> OperatingPoint:
    """The threshold that leaves the most answers of which at most the share `risk` is wrong.

    That is the error on these very samples. Geifman & El-Yaniv (2017) add a margin that holds it with a chosen
    probability on others, too; with thousands of answers the margin is one or two hundredths.

    Args:
        confidence: `(N,)`, such as the top probability.
        right: `(N,)` bool: whether the answer is right.
        risk: the share of wrong answers that is accepted, 0 to 1.

    Raises:
        DataError: no threshold is that good; or as `risk_coverage`.
    """
    curve = risk_coverage(confidence, right)
    good = np.flatnonzero(curve.risk <= risk)
    if not len(good):
        least = curve.risk.min()
        asked = math.ceil(1e4 * least) / 1e4
        coverage = curve.coverage[curve.risk == least][-1]
        raise DataError(
            f"no threshold brings the risk down to {risk:g}; the least is {asked:.4f}, with {coverage:.1%} of the "
            f"samples answered, so ask for that or more"
        )
    threshold, coverage, reached = (float(column[good[-1]]) for column in curve)
    return OperatingPoint(threshold, reached, coverage)
