"""Slices: figures on the parts of a dataset that may be easier or harder than the whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.evaluation.metrics import compute_metrics

AGREED = 0.8
"""From which share of the top label on people are said to agree."""

_FIGURES = ("n", "accuracy", "kl")
_NAMES = (("dark", "bright"), ("little contrast", "much contrast"), ("blurred", "sharp"))


def slice_metrics(
    probabilities: NDArray[np.float32], targets: NDArray[np.float32], labels: Sequence[str], crops: NDArray[np.uint8]
) -> dict[str, dict[str, Any]]:
    """Accuracy, and KL where targets are distributions, on parts of the samples.

    The quarter of the samples with the darkest and the brightest crops (mean grey), with the least and the most
    contrast (deviation of the grey), and the least and the most sharpness (mean distance of a pixel from its
    neighbours' mean); and, where targets are distributions, those on which people agree and differ.

    Args:
        probabilities: `(N, L)`.
        targets: `(N, L)`, as for `compute_metrics`.
        labels: the L names.
        crops: `(N, H, W, C)` uint8, the same samples.

    Returns:
        `{slice: {n, accuracy, kl}}`; JSON-able.
    """
    traits = np.array([_traits(crop) for crop in crops])
    parts: dict[str, NDArray[np.bool_]] = {}
    for (low, high), trait in zip(_NAMES, traits.T, strict=True):
        parts |= {low: trait <= np.quantile(trait, 0.25), high: trait >= np.quantile(trait, 0.75)}
    if np.any((targets > 0) & (targets < 1)):
        agreed = targets.max(axis=1) >= AGREED
        parts |= {"people agree": agreed, "people differ": ~agreed}
    measured = {
        name: compute_metrics(probabilities[part], targets[part], labels) for name, part in parts.items() if part.any()
    }
    return {name: {key: metrics[key] for key in _FIGURES if key in metrics} for name, metrics in measured.items()}


def _traits(crop: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Brightness, contrast and sharpness, in the order of `_NAMES`."""
    grey = crop.mean(axis=2, dtype=np.float32)
    around = (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
    return float(grey.mean()), float(grey.std()), float(np.abs(grey[1:-1, 1:-1] - around).mean())
