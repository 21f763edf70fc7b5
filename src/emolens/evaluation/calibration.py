"""Temperature scaling (Guo et al., 2017): one number that makes confidence mean what it says."""

import numpy as np
from numpy.typing import NDArray

from emolens.runtime import softmax


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The temperature with the least cross-entropy against the targets as they are, votes or labels.

    Args:
        logits: `(N, L)` of held-out samples.
        targets: `(N, L)`, rows sum to one.
    """
    # The cross-entropy has one minimum over log T, so that a shrinking bracket finds it.
    low, high = np.log(0.05), np.log(20.0)
    for _ in range(60):
        third = (high - low) / 3
        if _cross_entropy(logits, targets, low + third) < _cross_entropy(logits, targets, high - third):
            high -= third
        else:
            low += third
    return float(np.exp((low + high) / 2))


def _cross_entropy(logits: NDArray[np.float32], targets: NDArray[np.float32], log_temperature: float) -> float:
    probabilities = softmax(logits / np.float32(np.exp(log_temperature)))
    return float(-(targets * np.log(probabilities + 1e-12)).sum(axis=1).mean())
