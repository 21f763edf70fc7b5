"""Expected calibration error: how far confidence is from how often it is right, in bins of the confidence."""

import numpy as np
from numpy.typing import NDArray

from emolens.evaluation.figures import Floats, ratio

BINS = 15

Outcome = NDArray[np.bool_] | Floats


def equal_width_gaps(confidence: Floats, outcome: Outcome) -> Floats:
    """What each row adds to its bin's gap between confidence and outcome (Guo et al., 2017).

    The bins are `[a, b)`, the last one closed. The error is the sum over bins of the absolute sum, by the row.

    Args:
        confidence: `(N,)` in 0 to 1.
        outcome: `(N,)`: what the confidence should be on average: being right, or the share of votes.

    Returns:
        `(N, BINS)`.
    """
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    gaps = np.zeros((len(confidence), BINS))
    gaps[np.arange(len(confidence)), bins] = confidence - outcome
    return gaps


class EqualMassError:
    """The error over bins that hold as many rows each (Nguyen & O'Connor, 2015; Nixon et al., 2019).

    The edges are the quantiles of the confidence, bins are `(a, b]`, and rows of the same confidence stay together.

    Args:
        confidence: `(N,)`.
        outcome: `(N,)`: what the confidence should be on average.
        of_interest: `(N,)` bool: the rows that are looked at.
    """

    def __init__(self, confidence: Floats, outcome: Outcome, of_interest: NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(of_interest)
        self._order = rows[np.argsort(confidence[rows])]
        ranked = confidence[self._order]
        self._gaps = ranked - outcome[self._order]
        self._last_alike = np.searchsorted(ranked, ranked, side="right") - 1

    def of(self, counts: Floats) -> Floats:
        """`(B,)` of `(B, N)` counts; NaN where none of the rows was drawn."""
        if not len(self._order):
            return np.full(len(counts), np.nan)
        drawn = counts[:, self._order]
        ranks, gaps = drawn.cumsum(axis=1), (drawn * self._gaps).cumsum(axis=1)
        total = ranks[:, -1]
        places = np.arange(1, BINS) * np.maximum(total - 1, 0)[:, None] // BINS
        ends = self._last_alike[_row_at(ranks, places)]
        by_bin = np.diff(np.take_along_axis(gaps, ends, axis=1), axis=1, prepend=0, append=gaps[:, -1:])
        return ratio(np.abs(by_bin).sum(axis=1), total, undefined=np.nan)


def _row_at(ranks: Floats, places: Floats) -> NDArray[np.intp]:
    """For each place among what was drawn, counted from 0, the index of the row that stands there.

    Args:
        ranks: `(B, N)`: how many were drawn up to each row.
        places: `(B, K)`.
    """
    # All resamples one after the other, each lifted over the one before, so that one search serves them all.
    lift = np.arange(len(ranks))[:, None] * (ranks[:, -1].max() + 1)
    found = np.searchsorted((ranks + lift).ravel(), (places + lift).ravel(), side="right").reshape(places.shape)
    within = found - np.arange(len(ranks))[:, None] * ranks.shape[1]
    return np.asarray(np.minimum(within, ranks.shape[1] - 1))
