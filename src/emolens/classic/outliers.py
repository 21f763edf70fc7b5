"""Outliers: samples whose features are so unlike those of their label that a mistake is likelier than a rare case."""

import numpy as np
from numpy.typing import NDArray

# The median absolute deviation of a normal distribution, in standard deviations (Leys et al., 2013).
_NORMAL = 0.6745


def is_usual(features: NDArray[np.float32], labels: NDArray[np.int_], most: float) -> NDArray[np.bool_]:
    """Which samples are no outliers among those of their label.

    Of a label, every sample has a distance to the median of all; it is an outlier where this distance is larger than
    the median distance by more than `most` deviations, as the median absolute deviation tells them. Neither median is
    moved by the outliers themselves.

    Args:
        features: `(N, F)`, of like scales.
        labels: `(N,)`.
        most: deviations; 3.5 is usual.

    Returns:
        `(N,)`.
    """
    usual = np.ones(len(features), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        distances = np.linalg.norm(features[rows] - np.median(features[rows], axis=0), axis=1)
        beyond = distances - np.median(distances)
        usual[rows] = _NORMAL * beyond <= most * np.median(np.abs(beyond))
    return usual
