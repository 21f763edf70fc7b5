"""Slices: figures on the parts of a dataset that may be easier or harder than the whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.evaluation.metrics import compute_metrics

AGREED = 0.8
"""From which share of the top label on people are said to agree."""

_FIGURES = ("n", "accuracy", "kl")


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
    grey = crops.mean(axis=3, dtype=np.float32)
    parts: dict[str, NDArray[np.bool_]] = {}
    for low, high, trait in (
        ("dark", "bright", grey.mean(axis=(1, 2))),
        ("little contrast", "much contrast", grey.std(axis=(1, 2))),
        ("blurred", "sharp", _sharpness(grey)),
    ):
        parts |= {low: trait <= np.quantile(trait, 0.25), high: trait >= np.quantile(trait, 0.75)}
    if np.any((targets > 0) & (targets < 1)):
        agreed = targets.max(axis=1) >= AGREED
        parts |= {"people agree": agreed, "people differ": ~agreed}
    measured = {
        name: compute_metrics(probabilities[part], targets[part], labels) for name, part in parts.items() if part.any()
    }
    return {name: {key: metrics[key] for key in _FIGURES if key in metrics} for name, metrics in measured.items()}


def _sharpness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    around = (grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]) / 4
    sharpness: NDArray[np.float32] = np.abs(grey[:, 1:-1, 1:-1] - around).mean(axis=(1, 2))
    return sharpness
