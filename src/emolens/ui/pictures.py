"""Photographs on the page: what it keeps of one, and the small pictures that it shows."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from emolens.annotate import draw
from emolens.image import Limits, Photo, decode
from emolens.results import Box, Failure, Prediction

SHOWN = 1440
"""The longest side, in pixels, at which photographs are shown. What is larger, Streamlit encodes anew every time."""

_QUALITY = 88
_CROP = 144
_THUMBNAIL = 96

SAMPLES = {
    "An astronaut": ("astronaut.jpg", "Eileen Collins before her first flight (NASA, public domain)"),
    "A cat": ("cat.jpg", "Chelsea the cat, who has no human face (Stefan van der Walt, CC0)"),
}
"""The pictures that come along: their name, their file and who made them."""


@dataclass(frozen=True)
class Picture:
    """An image file that someone has given.

    Attributes:
        name: of the file.
        data: its bytes.
    """

    name: str
    data: bytes

    @cached_property
    def key(self) -> str:
        """Tells one picture from another: the sha256 of the bytes, and the name."""
        return f"{sha256(self.data).hexdigest()} {self.name}"


def sample(name: str) -> Picture:
    """One of `SAMPLES`."""
    path = Path(__file__).with_name("samples") / SAMPLES[name][0]
    return Picture(path.name, path.read_bytes())


def opened(picture: Picture, limits: Limits, side: int = SHOWN) -> Photo:
    """The photograph, with as many of its pixels as a longest side of `side` needs, or more.

    Raises:
        ImageError: it cannot be read.
    """
    return decode(picture.data, limits, side)


def annotated(photo: Photo, prediction: Prediction, side: int = SHOWN) -> bytes:
    """The photograph with the prediction drawn on it, at most `side` pixels long, JPEG."""
    image = Image.fromarray(photo.pixels)
    image.thumbnail((side, side))
    return _jpeg(draw(replace(photo, pixels=np.asarray(image)), prediction))


def face_crops(photo: Photo, boxes: Sequence[Box]) -> list[bytes]:
    """A small square picture of each face, JPEG.

    Args:
        photo: with the faces.
        boxes: in pixels of the upright image as stored.
    """
    image = Image.fromarray(photo.pixels)
    return [_jpeg(_cut(image, photo, box)) for box in boxes]


def thumbnail(picture: Picture, limits: Limits) -> bytes:
    """For a table, JPEG.

    Raises:
        ImageError: it cannot be read.
    """
    image = Image.fromarray(decode(picture.data, limits, 2 * _THUMBNAIL).pixels)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return _jpeg(image)


def described(prediction: Prediction | Failure) -> str:
    """What a picture with the prediction on it shows, for those who do not see it."""
    if isinstance(prediction, Failure):
        return "a photo that could not be read"
    if not prediction.faces:
        return "the photo; no face is marked on it"
    faces = ", ".join(f"face {number} {face.dominant}" for number, face in enumerate(prediction.faces[:10], 1))
    more = len(prediction.faces) - 10
    return f"the photo with a frame around each face: {faces}" + (f" and {more} more" if more > 0 else "")


def _cut(image: Image.Image, photo: Photo, box: Box) -> Image.Image:
    """The square around a box, with some room, as much of it as there is."""
    x, y, w, h = (value / photo.scale for value in box)
    half = 0.6 * max(w, h)
    left, top = round(x + w / 2 - half), round(y + h / 2 - half)
    side = max(1, round(2 * half))
    return image.crop((left, top, left + side, top + side)).resize((_CROP, _CROP), Image.Resampling.BICUBIC)


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
