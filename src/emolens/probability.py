"""Logits -> probabilities, as a model card says."""

import math

import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard, Steps


def calibrated(logits: NDArray[np.float32], card: ModelCard) -> NDArray[np.float32]:
    """The probabilities that logits stand for.

    Args:
        logits: `(N, L)`.
        card: of the model that gave them.

    Returns:
        `(N, L)` float32; rows sum to one for a `distribution` model.
    """
    scaled, calibration = logits / np.float32(card.temperature), card.calibration
    if calibration is not None and calibration.method == "vector":
        scaled = scaled * np.array(calibration.scale, np.float32) + np.array(calibration.shift, np.float32)
    normalise = softmax if card.objective == "distribution" else sigmoid
    probabilities = normalise(scaled)
    if calibration is not None and calibration.method == "isotonic":
        return _along(calibration.steps, probabilities, sums_to_one=card.objective == "distribution")
    return probabilities


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalised: NDArray[np.float32] = shifted / shifted.sum(axis=-1, keepdims=True)
    return normalised


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Elementwise."""
    # tanh does not overflow where exp would.
    squashed: NDArray[np.float32] = 0.5 * (1 + np.tanh(0.5 * logits))
    return squashed


def logit(probability: float) -> float:
    """What `sigmoid` makes that probability of: infinite for 0 and 1."""
    if 0 < probability < 1:
        return math.log(probability) - math.log1p(-probability)
    return math.copysign(math.inf, probability - 0.5)


def _along(steps: tuple[Steps, ...], probabilities: NDArray[np.float32], sums_to_one: bool) -> NDArray[np.float32]:
    columns = [np.interp(column, one.x, one.y) for column, one in zip(probabilities.T, steps, strict=True)]
    moved = np.stack(columns, axis=1).astype(np.float32)
    if sums_to_one:
        # Where every label was ruled out, the model's own answer is all there is.
        moved = np.where(moved.any(axis=1, keepdims=True), moved, probabilities)
        moved /= moved.sum(axis=1, keepdims=True)
    return moved
