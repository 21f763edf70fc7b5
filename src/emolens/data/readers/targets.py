"""Values in a table -> a target; names in a dataset -> the label set that they are of."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from emolens.data.readers.gathering import RowError, quoted
from emolens.errors import DataError
from emolens.labels import LABEL_SETS, canonical

_ROUNDING = 1e-3


def distribution(values: Sequence[str]) -> NDArray[np.float32]:
    """Probabilities, which rounding may have kept from summing to one exactly.

    Raises:
        RowError: they are no numbers from 0 to 1, or do not sum to one.
    """
    numbers = _fractions(values)
    if abs(numbers.sum() - 1) > _ROUNDING:
        raise RowError("not_a_distribution", f"the probabilities sum to {numbers.sum():.4g}; they must sum to 1")
    return np.asarray(numbers / numbers.sum(), dtype=np.float32)


def multi_hot(values: Sequence[str]) -> NDArray[np.float32]:
    """A 1 for each label that is present.

    Raises:
        RowError: a value is neither 0 nor 1.
    """
    numbers = _fractions(values)
    if not np.isin(numbers, (0, 1)).all():
        raise RowError("bad_value", f"{quoted(' '.join(values))} are not all 0 or 1")
    return numbers.astype(np.float32)


def known_labels() -> set[str]:
    """The labels of all sets."""
    return {label for labels in LABEL_SETS.values() for label in labels}


def smallest_label_set(names: Iterable[str], source: object) -> tuple[str, ...]:
    """The smallest set with room for all of the names that are labels; these labels, sorted, where no set has.

    Raises:
        DataError: none of the names is a label.
    """
    labels = {canonical(name) for name in names} & known_labels()
    if not labels:
        raise DataError(f"{source} names no emotion; there are {', '.join(sorted(known_labels()))}")
    fitting = [known for known in LABEL_SETS.values() if labels <= set(known)]
    return min(fitting, key=len, default=tuple(sorted(labels)))


def _fractions(values: Sequence[str]) -> NDArray[np.float64]:
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        raise RowError("bad_value", f"{quoted(' '.join(values))} are not all numbers") from None
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise RowError("bad_value", f"{quoted(' '.join(values))} are not all from 0 to 1")
    return numbers
