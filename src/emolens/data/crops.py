"""The crops of samples as one array, cut and resized exactly as the predictor does it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from emolens.card import Crop, Input
from emolens.data.samples import Dataset, Sample
from emolens.errors import ImageError
from emolens.image import crop_face, decode


def cut_crops(samples: Sequence[Sample], size: Input, crop: Crop) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Decodes and crops every sample, in threads.

    Returns:
        `(N, H, W, C)` uint8 at `size`, of the samples that can be read; and the indices of those that cannot, each with
        "name: why", for `Dataset.without`.
    """
    assert size.height
    assert size.width
    crops = np.empty((len(samples), size.height, size.width, size.channels), dtype=np.uint8)

    def cut(sample: Sample) -> NDArray[np.uint8] | ImageError:
        try:
            pixels = decode(sample.image).pixels
        except ImageError as error:
            return error
        return crop_face(pixels, sample.box, crop, size)

    unreadable = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for index, one in enumerate(pool.map(cut, samples)):
            if isinstance(one, ImageError):
                unreadable[index] = f"{samples[index].name}: {one}"
            else:
                crops[index - len(unreadable)] = one
    return crops[: len(samples) - len(unreadable)], unreadable


def load_crops(dataset: Dataset, size: Input, crop: Crop) -> NDArray[np.uint8]:
    """The crops of every sample, `(N, H, W, C)` uint8 at `size`.

    Raises:
        DataError: some samples cannot be read; all of them are counted, the first ones named.
    """
    crops, unreadable = cut_crops(dataset.samples, size, crop)
    if unreadable:
        dataset.without("unreadable_image", unreadable).check_faultless()
    return crops
