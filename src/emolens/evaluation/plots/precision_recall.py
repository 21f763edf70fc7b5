"""Precision-recall curves, one for each label against all others."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from emolens.evaluation.plots.style import BLUE, GREY, ORANGE, new_figure, shares, short

MOST = 24
"""With more labels the curves of those with the most samples are drawn."""

_COLUMNS = 4
_TICKS = (0, 0.5, 1)


class Curve(NamedTuple):
    """The curve of one label.

    Attributes:
        precision: `(T,)`, at falling thresholds.
        recall: `(T,)`, rising from 0.
        support: how many samples have the label.
        prevalence: the share of them, which is the precision of guessing.
        operating_point: recall and precision at the threshold in use; None where there is none.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    support: int
    prevalence: float
    operating_point: tuple[float, float] | None = None

    @property
    def average_precision(self) -> float:
        """Precision at every threshold, weighted by the recall that it adds; as scikit-learn's."""
        return float(np.sum(np.diff(self.recall) * self.precision[1:]))


def precision_recall(
    scores: NDArray[np.float32],
    truth: NDArray[np.bool_],
    answered: NDArray[np.bool_],
    operating_point: tuple[float, float] | None = None,
) -> Curve:
    """The curve of a label that some answered sample has; one without an answer is found at no threshold.

    Args:
        scores: `(N,)`, the label's probability.
        truth: `(N,)`: whether it is there.
        answered: `(N,)`.
        operating_point: see `Curve`.
    """
    precision, recall, _ = precision_recall_curve(truth[answered], scores[answered])
    found = recall * (truth[answered].sum() / truth.sum())
    return Curve(precision[::-1], found[::-1], int(truth.sum()), float(truth.mean()), operating_point)


def precision_recall_figure(curves: Mapping[str, Curve]) -> Figure:
    """A small diagram for each label, in the order of the labels; at most `MOST`."""
    shown = sorted(sorted(curves, key=lambda label: -curves[label].support)[:MOST], key=list(curves).index)
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = new_figure(2.7 * columns + 0.3, 2.8 * rows + 0.2)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for place, (axes, label) in enumerate(zip(grid.flat, shown, strict=False)):
        curve = curves[label]
        axes.plot((0, 1), (curve.prevalence,) * 2, color=GREY, linestyle="--", linewidth=1.2)
        axes.plot(curve.recall, curve.precision, color=BLUE, drawstyle="steps-pre")
        if curve.operating_point is not None:
            axes.plot(*curve.operating_point, "o", color=ORANGE, clip_on=False)
        is_last = place + columns >= len(shown)
        shares(axes, "recall" if is_last else "", "precision" if place % columns == 0 else "")
        axes.tick_params(labelbottom=is_last)
        axes.set(aspect="equal", ylim=(0, 1.02), xticks=_TICKS, yticks=_TICKS)
        axes.set_title(f"{short(label)}\nAP {curve.average_precision:.1%}, n {curve.support:,}", fontsize=10)
    return figure
