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
    numbers = fractions(values)
    if abs(numbers.sum() - 1) > _ROUNDING:
        raise RowError("not_a_distribution", f"the probabilities sum to {numbers.sum():.4g}; they must sum to 1")
    normalised: NDArray[np.float32] = numbers / numbers.sum()
    return normalised


def fractions(values: Sequence[str | float]) -> NDArray[np.float32]:
    """Numbers from 0 to 1, such as probabilities or a multi-hot target.

    Raises:
        RowError: they are none.
    """
    try:
        numbers = np.array([float(value) for value in values], dtype=np.float32)
    except (TypeError, ValueError):
        raise RowError("bad_value", f"{quoted(' '.join(map(str, values)))} are not all numbers") from None
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise RowError("bad_value", f"{quoted(' '.join(map(str, values)))} are not all from 0 to 1")
    return numbers


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
