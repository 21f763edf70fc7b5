"""A photograph that came with an answer -> the picture that is kept of it: what the answer is about, small, no EXIF."""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from emolens.errors import ImageError
from emolens.image import Limits, decode
from emolens.results import Box

SIDE = 1024
"""The longest side of a stored picture, in pixels."""

_AROUND = 0.5
"""What is kept around a face on every side, as a fraction of its box: room for any crop, and few others."""

_QUALITY = 95


@dataclass(frozen=True)
class Picture:
    """What is kept of an image.

    Attributes:
        jpeg: the bytes of the file.
        box: the face in it, `(x, y, w, h)` in its pixels; None where the picture is all of the image.
    """

    jpeg: bytes
    box: Box | None


def to_keep(image: bytes, box: Box | None) -> Picture:
    """Cuts the surroundings of the face out, or takes the whole image where there is no box, and writes them anew.

    Raises:
        ImageError: the image cannot be read, is over `EMOLENS_MAX_BYTES` or `EMOLENS_MAX_PIXELS`, or the box lies
            outside of it.
    """
    pixels = decode(image, Limits.from_environment(), None if box else SIDE).pixels
    if box is not None:
        left, top, right, bottom = _surroundings(box, width=pixels.shape[1], height=pixels.shape[0])
        pixels = pixels[top:bottom, left:right]
        box = (box[0] - left, box[1] - top, box[2], box[3])
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    scale = min(1.0, SIDE / max(picture.size))
    if scale < 1:
        picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
        box = None if box is None else (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return Picture(file.getvalue(), box)


def _surroundings(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """`left, top, right, bottom` in whole pixels, within the image."""
    x, y, w, h = box
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ImageError("outside", "the box lies outside of the image; give it in pixels of the upright image")
    left, top = max(0, math.floor(x - _AROUND * w)), max(0, math.floor(y - _AROUND * h))
    right, bottom = min(width, math.ceil(x + (1 + _AROUND) * w)), min(height, math.ceil(y + (1 + _AROUND) * h))
    return left, top, right, bottom
