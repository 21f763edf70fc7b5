"""How far figures may be off by chance: the percentile bootstrap over rows (Efron & Tibshirani, 1993)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from emolens.evaluation.figures import Figures, Floats, of_all_rows

RESAMPLES = 1000
LEVEL = 0.95

_SEED = 0
# Counts in memory at once, 16 MB; a figure needs a few arrays of that size.
_CHUNK = 2_000_000
# Sums of the same numbers in another order may differ by so much.
_ROUNDING = 1e-12


class Difference(NamedTuple):
    """What a figure is for two models on the same rows.

    Attributes:
        first, second: the figure of each.
        low, high: the interval of `second - first` at `LEVEL`.
        p: how likely so large a difference would be if there were none, on both sides; at least `2 / (RESAMPLES + 1)`.
    """

    first: float
    second: float
    low: float
    high: float
    p: float


def bootstrap_intervals(measured: Figures) -> dict[str, list[float]]:
    """The interval at `LEVEL` of every figure: `{figure: [low, high]}`, the same at each call; JSON-able.

    Resamples that say nothing about a figure, such as those without any answer, do not count for it.
    """
    drawn = _gather(measured.of(counts) for counts in _resamples(measured.rows))
    return {name: list(_interval(drawn[name])) for name in of_all_rows(measured)}


def paired_differences(first: Figures, second: Figures) -> dict[str, Difference]:
    """The difference of every figure that both have, over resamples of the rows that they share.

    The p-value is twice the share of resamples on the lesser side of zero, counting what was seen as one more (Davison
    & Hinkley, 1997).

    Args:
        first: one model's answers.
        second: another's for the same rows in the same order.
    """
    drawn = _gather(_subtract(second.of(counts), first.of(counts)) for counts in _resamples(first.rows))
    before, after = of_all_rows(first), of_all_rows(second)
    return {
        name: Difference(before[name], after[name], *_interval(drawn[name]), _p_value(drawn[name]))
        for name in before
        if name in after
    }


def _resamples(rows: int) -> Iterator[Floats]:
    """`(B, rows)` how often each row was drawn; `RESAMPLES` in all."""
    rng = np.random.default_rng(_SEED)
    most = max(1, _CHUNK // rows)
    for start in range(0, RESAMPLES, most):
        size = min(most, RESAMPLES - start)
        drawn = rng.integers(0, rows, (size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def _gather(chunks: Iterator[dict[str, Floats]]) -> dict[str, Floats]:
    """`(RESAMPLES,)` by figure."""
    every = list(chunks)
    return {name: np.concatenate([chunk[name] for chunk in every]) for name in every[0]}


def _subtract(figures: dict[str, Floats], others: dict[str, Floats]) -> dict[str, Floats]:
    return {name: values - others[name] for name, values in figures.items() if name in others}


def _interval(drawn: Floats) -> tuple[float, float]:
    tail = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def _p_value(differences: Floats) -> float:
    defined = differences[~np.isnan(differences)]
    lesser = min((defined <= _ROUNDING).sum(), (defined >= -_ROUNDING).sum())
    return float(min(1, 2 * (lesser + 1) / (len(defined) + 1)))
