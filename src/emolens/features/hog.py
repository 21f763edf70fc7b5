"""Histograms of oriented gradients (Dalal and Triggs, 2005), by scikit-image."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emolens.card import Input
from emolens.errors import MissingExtraError, ModelError
from emolens.features.base import Parameters


class HogParameters(Parameters):
    """How gradients are counted.

    Attributes:
        orientations: bins of a histogram, over half a turn.
        cell: the side of the square over which one is taken, in pixels.
        block: the side of the square over which histograms are normalised together, in cells.
    """

    orientations: Annotated[int, Field(ge=1, le=90)] = 9
    cell: Annotated[int, Field(ge=2, le=256)] = 8
    block: Annotated[int, Field(ge=1, le=16)] = 2


class Hog:
    """The step `hog`: the histograms of all blocks in one vector.

    Args:
        parameters: how gradients are counted.
        size: of the crops; of a coloured one the channel with the strongest gradient counts, pixel by pixel.

    Raises:
        ModelError: a block does not fit into the crop.
        MissingExtraError: scikit-image is not installed.
    """

    def __init__(self, parameters: HogParameters, size: Input) -> None:
        try:
            from skimage.feature import hog
        except ModuleNotFoundError:
            raise MissingExtraError("classic", "to classify by histograms of gradients") from None
        self._hog, self.parameters, block = hog, parameters, parameters.block
        rows, columns = ((side or 0) // parameters.cell - block + 1 for side in (size.height, size.width))
        if min(rows, columns) < 1:
            raise ModelError(
                f"crops of {size.width}x{size.height} pixels have no room for a block of {block} x {block} cells of "
                f"{parameters.cell} pixels; take smaller cells or larger crops"
            )
        self.size = rows * columns * block**2 * parameters.orientations

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As of `FeatureStep`; something is always found."""
        features = np.empty((len(crops), self.size), np.float32)
        for row, crop in zip(features, crops, strict=True):
            row[:] = self._hog(
                crop,
                orientations=self.parameters.orientations,
                pixels_per_cell=(self.parameters.cell,) * 2,
                cells_per_block=(self.parameters.block,) * 2,
                channel_axis=-1,
            )
        return features
