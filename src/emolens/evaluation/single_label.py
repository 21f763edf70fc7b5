"""The figures of targets that are a label or a distribution over labels."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from emolens.errors import DataError
from emolens.evaluation.calibration_error import EqualMassError, equal_width_gaps
from emolens.evaluation.checks import check_as_many, check_rows, check_sums
from emolens.evaluation.class_scores import averages
from emolens.evaluation.figures import Floats, RowSums, ratio

Indices = NDArray[np.intp]

# As scikit-learn's log_loss: a zero where the truth lies costs 36 nats, not infinity.
SMALLEST = float(np.finfo(np.float64).eps)

_TOP = ("accuracy", "top2_accuracy", "top3_accuracy")


class SingleLabel:
    """Predicted and true distributions, row by row; `compute_metrics` says what the figures mean.

    Args:
        probabilities: `(N, L)`; rows sum to one, those without an answer may be zero.
        targets: `(N, L)`; rows sum to one, one-hot or distributions.
        labels: the L names of the columns.
        answered: `(N,)` bool: whether there is an answer; None where there always is.

    Attributes:
        truth: `(N,)`: the target's top label.
        answer: `(N,)`: the likeliest label; without meaning where there is no answer.
        answered: `(N,)` bool.
        soft: whether any target is more than a label.
        support, answers, hits: `(N, L)` bool: which label is the truth, is the answer, is both.

    Raises:
        DataError: the arrays are empty, differ in shape, or a row is no distribution (NaN, negative, wrong sum).
    """

    def __init__(
        self, probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str], answered: ArrayLike | None = None
    ) -> None:
        self.labels = tuple(labels)
        self.predicted, self.target = (
            check_rows(name, rows, labels) for name, rows in (("probabilities", probabilities), ("targets", targets))
        )
        check_as_many(self.predicted, self.target)
        self.answered = np.ones(self.rows, np.bool_) if answered is None else np.asarray(answered, dtype=np.bool_)
        if self.answered.shape != (self.rows,):
            raise DataError(f"answered has the shape {self.answered.shape}; wanted ({self.rows},), one for each row")
        check_sums("probabilities", self.predicted, self.answered)
        check_sums("targets", self.target)
        self.truth, self.answer = self.target.argmax(axis=1), self.predicted.argmax(axis=1)
        self.soft = bool(np.any((self.target > 0) & (self.target < 1)))
        every = np.arange(len(self.labels))
        self.support = every == self.truth[:, None]
        self.answers = (every == self.answer[:, None]) & self.answered[:, None]
        self.hits = self.support & self.answers

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    @property
    def confusion(self) -> Indices:
        """`(L, L)` counts of the rows with an answer; a row per true label, a column per answer."""
        size = len(self.labels)
        pairs = (self.truth * size + self.answer)[self.answered]
        return np.bincount(pairs, minlength=size * size).reshape(size, size)

    @property
    def pearson(self) -> list[float | None]:
        """For each label the correlation over the rows with an answer; None where one side does not vary."""
        predicted, target = self.predicted[self.answered], self.target[self.answered]
        return [_pearson(first, second) for first, second in zip(predicted.T, target.T, strict=True)]

    def of(self, counts: Floats) -> dict[str, Floats]:
        """The figures of B resamples at once, `(B,)` each, as `Figures` has it."""
        sums = self._sums.of(counts)
        n, answered = counts.sum(axis=1), sums["answered"]

        def mean(name: str) -> Floats:
            return ratio(sums[name], answered, undefined=np.nan)

        def error(name: str) -> Floats:
            return ratio(np.abs(sums[name]).sum(axis=1), answered, undefined=np.nan)

        figures = {
            **{name: sums[name] / n for name in _TOP},
            **averages(sums["hits"], sums["support"], sums["answers"]),
            **{name: mean(name) for name in ("nll", "brier")},
            "ece": error("ece"),
            "adaptive_ece": self._equal_mass.of(counts),
        }
        if self.soft:
            figures["vote_ece"] = error("vote_ece")
            figures["kl"] = np.maximum(0, mean("nll") - mean("entropy"))
            figures |= {name: mean(name) for name in ("jensen_shannon", "cosine_similarity", "chebyshev")}
        return figures

    @cached_property
    def _sums(self) -> RowSums:
        predicted, target = self.predicted, self.target
        columns: dict[str, NDArray[np.generic]] = {
            **self._top_hits,
            "answered": self.answered,
            "hits": self.hits,
            "support": self.support,
            "answers": self.answers,
        }
        of_answers: dict[str, Floats] = {
            "nll": _cross_entropy(target, predicted),
            "brier": np.square(predicted - target).sum(axis=1),
            "ece": equal_width_gaps(self._confidence, self.answer == self.truth),
        }
        if self.soft:
            vote_share = np.take_along_axis(target, self.answer[:, None], axis=1)[:, 0]
            of_answers |= {
                "vote_ece": equal_width_gaps(self._confidence, vote_share),
                "entropy": _cross_entropy(target, target),
                "jensen_shannon": _jensen_shannon(target, predicted),
                "cosine_similarity": _cosine(target, predicted),
                "chebyshev": np.abs(target - predicted).max(axis=1),
            }
        for column in of_answers.values():
            column[~self.answered] = 0
        return RowSums(columns | of_answers)

    @cached_property
    def _equal_mass(self) -> EqualMassError:
        return EqualMassError(self._confidence, self.answer == self.truth, self.answered)

    @property
    def _confidence(self) -> Floats:
        return np.asarray(self.predicted.max(axis=1))

    @property
    def _top_hits(self) -> dict[str, NDArray[np.bool_]]:
        # Stable, so that among ties the first label comes first, as in argmax.
        ranked = np.argsort(-self.predicted, axis=1, kind="stable")
        hit_at = (ranked == self.truth[:, None]).argmax(axis=1)
        return {name: self.answered & (hit_at <= place) for place, name in enumerate(_TOP)}


def _cross_entropy(target: Floats, predicted: Floats) -> Floats:
    costs: Floats = (target * -np.log(np.maximum(predicted, SMALLEST))).sum(axis=1)
    return costs


def _jensen_shannon(target: Floats, predicted: Floats) -> Floats:
    middle = (target + predicted) / 2
    divergence: Floats = (rel_entr(target, middle) + rel_entr(predicted, middle)).sum(axis=1) / 2
    return np.maximum(divergence, 0)  # rows that sum to a hair less than one would fall below


def _cosine(target: Floats, predicted: Floats) -> Floats:
    lengths = np.linalg.norm(target, axis=1) * np.linalg.norm(predicted, axis=1)
    return ratio((target * predicted).sum(axis=1), lengths)


def _pearson(first: Floats, second: Floats) -> float | None:
    if not len(first) or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.clip(_standardised(first) @ _standardised(second), -1, 1))


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean()
    centred /= np.abs(centred).max()  # so that the squares of tiny values do not vanish
    standardised: Floats = centred / np.linalg.norm(centred)
    return standardised
