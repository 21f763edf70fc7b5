"""Temperature scaling (Guo et al., 2017): one number that makes confidence mean what it says."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_RANGE = (0.05, 20.0)


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The temperature with the least cross-entropy against the targets as they are, votes or labels.

    Args:
        logits: `(N, L)` of held-out samples.
        targets: `(N, L)`, rows sum to one.
    """
    exact = logits.astype(np.float64)

    def cross_entropy(log_temperature: float) -> float:
        return float(-(targets * log_softmax(exact / np.exp(log_temperature), axis=1)).sum())

    return float(np.exp(minimize_scalar(cross_entropy, bounds=np.log(_RANGE), method="bounded").x))
