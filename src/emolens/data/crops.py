"""The crops of samples as one array, cut and resized exactly as the predictor does it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emolens.card import Crop, Input
from emolens.cores import usable_cores
from emolens.data.samples import Sample
from emolens.errors import DataError, ImageError
from emolens.image import Limits, Photo, crop_face, decode

Result = TypeVar("Result")

# As the predictor: each thread holds a photograph.
_WORKERS = min(8, usable_cores())

# Of encoded bytes. Threads that decode 48 x 48 pixels spend three times as long on handing the interpreter over.
_SMALL = 16_384


def decode_sample(sample: Sample, side: int | None = None) -> Photo:
    """Decodes a sample's image, as `decode` does, within the limits that the environment sets."""
    return decode(sample.image, Limits.from_environment(), side)


def cut_crop(sample: Sample, size: Input, crop: Crop) -> NDArray[np.uint8]:
    """Decodes and crops one sample.

    Returns:
        `(H, W, C)` uint8 at `size`.

    Raises:
        DataError: the image cannot be read; with the sample's name.
    """
    try:
        pixels = decode_sample(sample).pixels
    except ImageError as error:
        raise DataError(f"{sample.name}: {error}") from None
    return crop_face(pixels, sample.box, crop, size)


def map_samples(work: Callable[[Sample], Result], samples: Sequence[Sample]) -> Iterator[Result]:
    """What `work` makes of every sample, in order; in threads, except for pictures so small that threads only wait."""
    if all(isinstance(sample.image, bytes) and len(sample.image) < _SMALL for sample in samples):
        yield from map(work, samples)
        return
    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(work, samples)


def cut_crops(samples: Sequence[Sample], size: Input, crop: Crop) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Decodes and crops every sample, in threads.

    Returns:
        `(N, H, W, C)` uint8 at `size`, of the samples that can be read; and the indices of those that cannot, each with
        "name: why", for `Dataset.without`.
    """
    assert size.height
    assert size.width
    crops = np.empty((len(samples), size.height, size.width, size.channels), dtype=np.uint8)

    def cut(sample: Sample) -> NDArray[np.uint8] | DataError:
        try:
            return cut_crop(sample, size, crop)
        except DataError as error:
            return error

    unreadable = {}
    for index, one in enumerate(map_samples(cut, samples)):
        if isinstance(one, DataError):
            unreadable[index] = str(one)
        else:
            crops[index - len(unreadable)] = one
    return crops[: len(samples) - len(unreadable)], unreadable
