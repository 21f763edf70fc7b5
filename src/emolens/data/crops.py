"""The crops of a dataset as one array, cut and resized exactly as the predictor does it."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from emolens.card import Crop, Input
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError, ImageError
from emolens.image import crop_face, decode


def load_crops(dataset: Dataset, size: Input, crop: Crop) -> NDArray[np.uint8]:
    """Decodes and crops every sample, in threads.

    Returns:
        `(N, H, W, C)` uint8 at `size`.

    Raises:
        DataError: a sample cannot be read.
    """
    assert size.height
    assert size.width
    crops = np.empty((len(dataset), size.height, size.width, size.channels), dtype=np.uint8)

    def cut(sample: Sample) -> NDArray[np.uint8]:
        try:
            pixels = decode(sample.image).pixels
        except ImageError as error:
            raise DataError(f"{dataset.name}, {sample.name}: {error}") from None
        return crop_face(pixels, sample.box, crop, size)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for index, one in enumerate(pool.map(cut, dataset.samples)):
            crops[index] = one
    return crops
