"""Figures as functions of how often each row counts: one definition for all rows, a resample, and a comparison."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Figures(Protocol):
    """What was predicted beside what is true, and the figures that follow from it."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        ...

    def of(self, counts: Floats) -> dict[str, Floats]:
        """The figures of B resamples at once.

        Args:
            counts: `(B, rows)`, whole numbers: how often each row was drawn.

        Returns:
            `(B,)` by name of the figure; NaN where a resample has nothing to say about it.
        """
        ...


def of_all_rows(measured: Figures) -> dict[str, float]:
    """The figures where every row counts once, without those that the rows say nothing about."""
    figures = measured.of(np.ones((1, measured.rows)))
    return {name: float(values[0]) for name, values in figures.items() if not np.isnan(values[0])}


class RowSums:
    """Sums over the drawn rows, all in one multiplication of matrices.

    Args:
        columns: what each row contributes, by name: `(N,)` or `(N, K)`, the same N.
    """

    def __init__(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        self._shapes = {name: column.shape[1:] for name, column in columns.items()}
        self._matrix = np.column_stack([column.astype(np.float64) for column in columns.values()])

    def of(self, counts: Floats) -> dict[str, Floats]:
        """`(B,)` or `(B, K)` by name, of `(B, N)` counts."""
        widths = [int(np.prod(shape)) for shape in self._shapes.values()]
        parts = np.split(counts @ self._matrix, np.cumsum(widths)[:-1], axis=1)
        return {
            name: part.reshape(len(counts), *shape)
            for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }


def ratio(part: Floats, whole: Floats, undefined: float = 0.0) -> Floats:
    """`part / whole`, and `undefined` where `whole` is zero."""
    divided: Floats = np.divide(part, whole, out=np.full(np.shape(part), undefined), where=whole > 0)
    return divided
