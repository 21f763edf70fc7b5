"""What a picture is like, apart from what it shows: how bright, how sharp, how large."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import Sample
from emolens.errors import ImageError
from emolens.image import Limits
from emolens.imagefile import open_image
from emolens.sniff import HEAD, image_format

TRAITS = 3
"""How many traits a crop has."""


def crop_traits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Traits of crops, which may come chunk by chunk.

    Args:
        crops: `(N, H, W, C)`.

    Returns:
        `(N, 3)`: brightness (mean grey), contrast (deviation of the grey), and sharpness (mean distance of a pixel from
        its neighbours' mean), all of 0 to 255.
    """
    return np.array([_traits(crop) for crop in crops], dtype=np.float32).reshape(-1, TRAITS)


def picture_sizes(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """`(N,)`: the root of the area, in pixels, of the face's box, else of the picture; NaN where it cannot be read."""
    return np.array([_size(sample) for sample in samples], dtype=np.float32)


def _traits(crop: NDArray[np.uint8]) -> tuple[float, float, float]:
    grey = crop.mean(axis=2, dtype=np.float32)
    around = (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
    return float(grey.mean()), float(grey.std()), float(np.abs(grey[1:-1, 1:-1] - around).mean())


def _size(sample: Sample) -> float:
    if sample.box is not None:
        return math.sqrt(max(sample.box[2] * sample.box[3], 0))
    try:
        data = sample.image if isinstance(sample.image, bytes) else _read(sample.image)
        return math.sqrt(math.prod(_stored_size(data, sample.name)))
    except (OSError, ImageError):
        return math.nan


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(Limits().max_bytes)


def _stored_size(data: bytes, name: str) -> tuple[int, int]:
    """From the header alone."""
    kind = image_format(data[:HEAD])
    if kind is None:
        raise ImageError("not_an_image", f"{name}: is no image that can be recognised")
    return open_image(data, kind, name, Limits().max_pixels).size
