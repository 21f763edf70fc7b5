"""What figures can be computed of: as many rows of probabilities as of targets, all of them meaningful."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from emolens.errors import DataError
from emolens.evaluation.figures import Floats

# A softmax in half precision leaves rows this far from one; logits passed by mistake are further off.
_SUM_TOLERANCE = 1e-3


def check_rows(name: str, values: ArrayLike, labels: Sequence[str]) -> Floats:
    """`(N, L)` float64, finite and not negative.

    Raises:
        DataError: they are not, or there is no row.
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(labels):
        raise DataError(f"{name} have the shape {rows.shape}; wanted (N, {len(labels)}), a column for each label")
    if len(rows) == 0:
        raise DataError(f"{name} are empty; there is nothing to measure, so check the split")
    for wrong, what in (
        (~np.isfinite(rows).all(axis=1), "holds NaN or infinity; the model or its input is broken"),
        ((rows < 0).any(axis=1), "is negative somewhere; pass probabilities, not logits"),
    ):
        if wrong.any():
            raise DataError(f"{name}: row {wrong.argmax()} {what}")
    return rows


def check_sums(name: str, rows: Floats, of_interest: ArrayLike = True) -> None:
    """Refuses rows `of_interest` that are no distribution."""
    off = (np.abs(rows.sum(axis=1) - 1) > _SUM_TOLERANCE) & np.asarray(of_interest)
    if off.any():
        raise DataError(f"{name}: row {off.argmax()} does not sum to one; pass a softmax or normalised votes")


def check_as_many(predicted: Floats, target: Floats) -> None:
    """Refuses more rows on one side."""
    if len(predicted) != len(target):
        raise DataError(f"there are {len(predicted)} rows of probabilities and {len(target)} of targets; pass as many")
