"""Parity: how far an export answers as the model that it was made from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolens.errors import ModelError
from emolens.runtime import OnnxModel

_MEAN_DIFFERENCE = 0.02
_AGREEMENT = 0.95


@dataclass(frozen=True)
class Parity:
    """What two models say of the same crops.

    Attributes:
        crops: how many there were.
        max_difference: the largest difference of any probability.
        mean_difference: the mean difference of all probabilities.
        agreement: the share of the crops for which both name the same label first.
    """

    crops: int
    max_difference: float
    mean_difference: float
    agreement: float


def measure_parity(source: Path, export: Path, crops: NDArray[np.uint8]) -> Parity:
    """Compares two model files over `(N, H, W, C)` uint8 crops.

    Raises:
        ModelError: one cannot be opened, or the export answers too differently to stand for its source.
    """
    expected, found = (OnnxModel(path, "cpu").probabilities(crops) for path in (source, export))
    difference = np.abs(expected - found)
    parity = Parity(
        crops=len(crops),
        max_difference=round(float(difference.max()), 4),
        mean_difference=round(float(difference.mean()), 5),
        agreement=round(float((expected.argmax(1) == found.argmax(1)).mean()), 4),
    )
    if parity.mean_difference > _MEAN_DIFFERENCE or parity.agreement < _AGREEMENT:
        raise ModelError(
            f"the export does not answer as its source: over {parity.crops} crops the probabilities differ by "
            f"{parity.mean_difference} on average and {parity.agreement:.0%} of the first labels agree; "
            "keep --format onnx"
        )
    return parity
