"""The figures of targets with any number of labels at once."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolens.errors import DataError
from emolens.evaluation.checks import check_as_many, check_rows
from emolens.evaluation.class_scores import averages
from emolens.evaluation.figures import Floats, RowSums, ratio
from emolens.evaluation.single_label import SMALLEST


class MultiLabel:
    """Predicted and present labels, row by row; `compute_multilabel_metrics` says what the figures mean.

    Args:
        probabilities: `(N, L)`, each in 0 to 1.
        targets: `(N, L)`, each in 0 to 1: a label is present from one half on.
        labels: the L names of the columns.
        thresholds: `(L,)`: a label at or over its own is predicted to be present.

    Attributes:
        support, answers, hits: `(N, L)` bool: which labels are present, are predicted to be, are both.

    Raises:
        DataError: the arrays are empty, differ in shape, or hold what is no probability; or there is not a threshold
            for each label.
    """

    def __init__(
        self, probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str], thresholds: Sequence[float]
    ) -> None:
        self.labels, self.thresholds = tuple(labels), tuple(thresholds)
        if len(self.thresholds) != len(self.labels):
            raise DataError(f"there are {len(self.thresholds)} thresholds for {len(self.labels)} labels; pass as many")
        self.predicted, self.target = check_presence(probabilities, targets, labels)
        self.support, self.answers = self.target >= 0.5, self.predicted >= np.asarray(self.thresholds)
        self.hits = self.support & self.answers

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    def of(self, counts: Floats) -> dict[str, Floats]:
        """The figures of B resamples at once, `(B,)` each, as `Figures` has it."""
        sums, n = self._sums.of(counts), counts.sum(axis=1)
        present = sums["support"] > 0
        precisions = np.column_stack([one.of(counts) for one in self._average_precisions])
        return {
            "subset_accuracy": sums["subset_accuracy"] / n,
            "mean_average_precision": ratio((precisions * present).sum(axis=1), present.sum(axis=1)),
            **averages(sums["hits"], sums["support"], sums["answers"]),
            "nll": sums["nll"] / n,
        }

    @cached_property
    def _sums(self) -> RowSums:
        clipped = np.clip(self.predicted, SMALLEST, 1 - SMALLEST)
        costs = -(self.target * np.log(clipped) + (1 - self.target) * np.log1p(-clipped))
        return RowSums(
            {
                "subset_accuracy": (self.support == self.answers).all(axis=1),
                "hits": self.hits,
                "support": self.support,
                "answers": self.answers,
                "nll": costs.mean(axis=1),
            }
        )

    @cached_property
    def _average_precisions(self) -> list["_AveragePrecision"]:
        columns = zip(self.predicted.T, self.support.T, strict=True)
        return [_AveragePrecision(scores, truth) for scores, truth in columns]


def check_presence(probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str]) -> tuple[Floats, Floats]:
    """Both as `(N, L)` float64 in 0 to 1.

    Raises:
        DataError: they are empty, differ in shape, or hold what is no probability.
    """
    predicted, target = (
        check_rows(name, rows, labels) for name, rows in (("probabilities", probabilities), ("targets", targets))
    )
    check_as_many(predicted, target)
    for name, rows in (("probabilities", predicted), ("targets", target)):
        over = (rows > 1).any(axis=1)
        if over.any():
            raise DataError(f"{name}: row {over.argmax()} is over one somewhere; pass probabilities, not logits")
    return predicted, target


class _AveragePrecision:
    """As scikit-learn's: precision at every distinct score, weighted by the recall that it adds; zero without a hit."""

    def __init__(self, scores: Floats, truth: NDArray[np.bool_]) -> None:
        self._order = np.argsort(-scores)
        falling = -scores[self._order]
        self._hits = self._order[truth[self._order]]
        # Rows of one score come together, so that only the last row of each score with a hit matters.
        levels, last_hits = np.unique(-scores[self._hits][::-1], return_index=True)
        self._last_hits = len(self._hits) - 1 - last_hits
        self._last_rows = np.searchsorted(falling, levels, side="right") - 1

    def of(self, counts: Floats) -> Floats:
        """`(B,)` of `(B, N)` counts."""
        answers = counts[:, self._order].cumsum(axis=1)[:, self._last_rows]
        hits = counts[:, self._hits].cumsum(axis=1)[:, self._last_hits]
        gained = np.diff(hits, axis=1, prepend=0)
        return ratio((gained * ratio(hits, answers)).sum(axis=1), gained.sum(axis=1))
