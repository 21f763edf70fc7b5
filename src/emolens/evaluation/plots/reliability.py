"""The reliability diagram (DeGroot and Fienberg, 1983): whether confidence means what it says."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from emolens.evaluation.calibration_error import BINS
from emolens.evaluation.plots.intervals import interval_of_share
from emolens.evaluation.plots.style import BLUE, GREY, new_figure, percent, shares

_AROUND = (-0.015, 1.015)  # so that no dot is cut in half


class Bins(NamedTuple):
    """Samples by confidence, in 15 bins of equal width, as those of the expected calibration error.

    Attributes:
        counts: `(15,)` samples in each.
        confidence: `(15,)`, their mean; NaN where there is none.
        outcome: `(15,)`, the mean of what the confidence should be; likewise.
    """

    counts: NDArray[np.intp]
    confidence: NDArray[np.float64]
    outcome: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error."""
        gaps = self.counts * np.abs(self.confidence - self.outcome)
        return float(np.nansum(gaps) / self.counts.sum())


def reliability_bins(confidence: ArrayLike, outcome: ArrayLike) -> Bins:
    """Puts samples into bins `[a, b)` of the confidence, the last one closed.

    Args:
        confidence: `(N,)` in 0 to 1.
        outcome: `(N,)`: being right, or the share of votes for the answer.
    """
    sure, true = np.asarray(confidence, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    place = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    counts = np.bincount(place, minlength=BINS)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(place, weights=values, minlength=BINS)
        means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(BINS, np.nan), where=counts > 0)
        return means

    return Bins(counts, mean(sure), mean(true))


def reliability_figure(diagrams: Mapping[str, Bins]) -> Figure:
    """A diagram for each thing that confidence is held against, above how often the model is how confident.

    Args:
        diagrams: by what the outcome is, such as `share of right answers`.
    """
    figure = new_figure(5 * len(diagrams), 5.4)
    grid = figure.subplots(2, len(diagrams), sharex=True, squeeze=False, gridspec_kw={"height_ratios": (4, 1)})
    for (upper, lower), (outcome, bins) in zip(grid.T, diagrams.items(), strict=True):
        upper.plot((0, 1), (0, 1), color=GREY, linestyle="--", linewidth=1.2, label="as sure as it should be")
        filled = np.flatnonzero(bins.counts)
        low, high = np.transpose([interval_of_share(bins.outcome[one], int(bins.counts[one])) for one in filled])
        middle, sure = bins.outcome[filled], bins.confidence[filled]
        whiskers = np.maximum((middle - low, high - middle), 0)
        upper.errorbar(sure, middle, whiskers, fmt="o-", color=BLUE, elinewidth=1.2, label="the model, 95 % interval")
        shares(upper, "", outcome)
        upper.set(xlim=_AROUND, ylim=_AROUND, title=f"ECE {bins.error:.3f}")
        edges = np.linspace(0, 1, BINS + 1)
        lower.bar(edges[:-1], bins.counts / bins.counts.sum(), 1 / BINS, align="edge", color=BLUE, edgecolor="white")
        lower.set(xlabel="confidence (top probability)", ylabel="samples")
        lower.yaxis.set_major_formatter(percent(0))
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
