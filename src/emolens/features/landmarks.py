"""Landmarks of MediaPipe's Face Landmarker; not there yet."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolens.card import Input
from emolens.errors import ModelError
from emolens.features.base import Parameters


class LandmarksParameters(Parameters):
    """None yet."""


class Landmarks:
    """The step `landmarks`."""

    size: int

    def __init__(self, parameters: LandmarksParameters, size: Input, path: Path, threads: int = 0) -> None:  # noqa: ARG002
        raise ModelError(f"{path}: this version of emolens has no landmarks; update it")

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As of `FeatureStep`."""
        raise NotImplementedError
