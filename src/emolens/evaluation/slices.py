"""Slices: figures on the parts of a dataset that may be easier or harder than the whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import Dataset, Sample
from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.traits import crop_traits

AGREED = 0.8
"""From which share of the top label on people are said to agree."""

FEW = 30
"""What is measured on fewer samples says little."""

Part = NDArray[np.bool_]
"""`(N,)`: which samples are in a slice."""

_FIGURES = ("n", "accuracy", "kl", "subset_accuracy", "mean_average_precision")
_TRAITS = (("dark", "bright"), ("little contrast", "much contrast"), ("blurred", "sharp"), ("small", "large"))

# Of a column of metadata. A longer value is free text, and so is a column with more values that are no numbers.
_MOST_VALUES, _LONGEST_VALUE = 12, 40
_MOST_BY_METADATA = 60


def slice_metrics(
    probabilities: NDArray[np.float32], targets: NDArray[np.float32], labels: Sequence[str], crops: NDArray[np.uint8]
) -> dict[str, dict[str, Any]]:
    """Slices by the crops and by the votes, of samples whose crops are at hand.

    Args:
        probabilities: `(N, L)`.
        targets: `(N, L)`, as for `compute_metrics`.
        labels: the L names.
        crops: `(N, H, W, C)` uint8, the same samples.

    Returns:
        As `measure_slices`.
    """
    parts = _by_traits(crop_traits(crops)) | _by_agreement(targets)
    return measure_slices(parts, lambda part: compute_metrics(probabilities[part], targets[part], labels))


def find_slices(dataset: Dataset, traits: NDArray[np.float32]) -> dict[str, Part]:
    """The parts of a dataset on which a model may do better or worse.

    - The quarter of the samples with the darkest and the brightest crops, with the least and the most contrast, with
      the least and the most sharpness, and with the smallest and the largest faces (pictures, where there is no box).
    - Where targets are distributions, the samples on which people agree and differ.
    - By column of the metadata: a slice for each value, `"camera: webcam"`; of numbers with more than 12 different
      values one for each quarter, `"age: 18 to 25"`. Samples without a value are in none of them. Columns with more
      values or longer ones are no slices, and columns after the 60th slice neither.

    Slices that hold no sample or all of them are left away.

    Args:
        dataset: what was measured.
        traits: `(N, 4)`: see `crop_traits`, and the size of the face in pixels; NaN for a sample without a crop.
    """
    votes = _by_agreement(dataset.targets) if dataset.objective == "distribution" else {}
    return _by_traits(traits) | votes | _by_metadata(dataset.samples)


def measure_slices(
    parts: Mapping[str, Part], measure: Callable[[Part], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The figures of every slice.

    Args:
        parts: from `find_slices`.
        measure: the metrics of the samples in a part.

    Returns:
        `{slice: {n, accuracy, kl}}`, `kl` only where targets are distributions, or `{slice: {n, subset_accuracy,
        mean_average_precision}}` where several labels may hold at once; JSON-able.
    """
    measured = {name: measure(part) for name, part in parts.items()}
    return {name: {key: metrics[key] for key in _FIGURES if key in metrics} for name, metrics in measured.items()}


def _by_traits(traits: NDArray[np.float32]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for names, values in zip(_TRAITS, traits.T, strict=False):  # of bare crops no size is known
        parts |= _outer_quarters(values, names)
    return parts


def _by_agreement(targets: NDArray[np.float32]) -> dict[str, Part]:
    if not np.any((targets > 0) & (targets < 1)):
        return {}
    agreed = targets.max(axis=1) >= AGREED
    return _without_trivial({"people agree": agreed, "people differ": ~agreed})


def _by_metadata(samples: Sequence[Sample]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for column in dict.fromkeys(column for sample in samples for column in sample.metadata):
        found = _by_column([sample.metadata.get(column, "") for sample in samples])
        if len(parts) + len(found) > _MOST_BY_METADATA:
            break
        parts |= {f"{column}: {name}": part for name, part in found.items()}
    return parts


def _by_column(texts: Sequence[str]) -> dict[str, Part]:
    if max(map(len, texts)) > _LONGEST_VALUE:
        return {}
    values = np.array(texts)
    different = np.unique(values[values != ""])
    numbers = _as_numbers(different)
    if len(different) <= _MOST_VALUES:
        ordered = different if numbers is None else different[np.argsort(numbers, kind="stable")]
        return _without_trivial({str(value): values == value for value in ordered})
    return {} if numbers is None else _quarters(values, different, numbers)


def _quarters(values: NDArray[np.str_], different: NDArray[np.str_], numbers: NDArray[np.float64]) -> dict[str, Part]:
    given = np.flatnonzero(values != "")
    number = numbers[np.searchsorted(different, values[given])]
    quarter = np.searchsorted(np.quantile(number, (0.25, 0.5, 0.75)), number)
    parts = {}
    for rows in (np.flatnonzero(quarter == one) for one in np.unique(quarter)):
        low, high = (values[given[rows[place]]] for place in (number[rows].argmin(), number[rows].argmax()))
        parts[str(low) if low == high else f"{low} to {high}"] = np.isin(np.arange(len(values)), given[rows])
    return _without_trivial(parts)


def _as_numbers(values: NDArray[np.str_]) -> NDArray[np.float64] | None:
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _outer_quarters(values: NDArray[np.float32], names: tuple[str, str]) -> dict[str, Part]:
    known = values[~np.isnan(values)]
    if not len(known):
        return {}
    low, high = np.quantile(known, (0.25, 0.75))
    return _without_trivial({names[0]: values <= low, names[1]: values >= high})


def _without_trivial(parts: Mapping[str, Part]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if part.any() and not part.all()}
