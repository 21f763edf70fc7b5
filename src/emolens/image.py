"""Any untrusted image -> an upright RGB array, within limits; and a face box in it -> a crop."""

import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emolens import settings
from emolens.card import Crop, Input
from emolens.errors import ImageError, ModelError
from emolens.imagefile import check_pixels, load_upright, open_image, stored_orientation
from emolens.results import Box
from emolens.sniff import HEAD, foreign_content, image_format

ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, the bytes of an image file, a Pillow image, or an `(H, W, 3)` RGB or `(H, W)` grey uint8 array."""

IMAGE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".avif",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
    )
)

_PART = 1 << 20  # bytes

# A crop is cut from a reduced image where that still has so many pixels per pixel of the crop.
_ENOUGH = 4


@dataclass(frozen=True)
class Limits:
    """What is refused before memory is spent on it.

    Attributes:
        max_bytes: of the file.
        max_pixels: of the stored image, half of it for WebP and AVIF, whose decoders hold an image several times over.
            The default lets 50-megapixel cameras through, and one such image is decoded in about 500 MB at most.
    """

    max_bytes: int = 50 * 2**20
    max_pixels: int = 50 * 2**20

    @classmethod
    def from_environment(cls) -> "Limits":
        """The limits that `EMOLENS_MAX_BYTES` and `EMOLENS_MAX_PIXELS` set; the defaults where they set none.

        Raises:
            ConfigError: one of them is no positive whole number.
        """
        max_bytes, max_pixels = settings.count(settings.MAX_BYTES), settings.count(settings.MAX_PIXELS)
        return cls(max_bytes or cls.max_bytes, max_pixels or cls.max_pixels)


@dataclass(frozen=True)
class Photo:
    """A decoded image.

    Attributes:
        pixels: `(h, w, 3)` uint8, upright RGB, perhaps at a reduced scale.
        width: of the upright image as stored, in pixels; boxes are given in these.
        height: likewise.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int

    @property
    def scale(self) -> float:
        """Stored pixels per pixel of `pixels`."""
        return max(self.width, self.height) / float(max(self.pixels.shape[:2]))


def decode(source: ImageSource, limits: Limits = Limits(), side: int | None = None) -> Photo:
    """Reads an image.

    Args:
        source: see `ImageSource`.
        limits: what is refused.
        side: the longest side that is needed; larger images are reduced by a whole factor to no less than that.
            `None` keeps every pixel.

    Raises:
        ImageError: with one of the codes `not_found, is_directory, not_a_file, no_permission, unreadable, empty,
            too_many_bytes, too_many_pixels, truncated, damaged, not_an_image, wrong_extension, unsupported_format,
            missing_extra, bad_array, bad_source`.
    """
    name = source_name(source)
    if isinstance(source, np.ndarray):
        return _decode_array(source, name, limits, side)
    if isinstance(source, Image.Image):
        check_pixels(source.size, name, limits.max_pixels)
        return _photo(source, source.size, side, name)
    if isinstance(source, bytes):
        return _decode_bytes(source, name, limits, side)
    if isinstance(source, str | os.PathLike):
        return _decode_bytes(read_file(source, name, limits), name, limits, side)
    raise ImageError("bad_source", f"{name}: give a path, bytes, a Pillow image or a uint8 array")


def read_file(path: str | os.PathLike[str], name: str, limits: Limits) -> bytes:
    """The content of an image file, no more of it than `limits.max_bytes`.

    Args:
        path: of the file.
        name: of the file in messages.
        limits: what is refused.

    Raises:
        ImageError: with one of the codes `not_found, is_directory, not_a_file, no_permission, unreadable,
            too_many_bytes`.
    """
    try:
        path = Path(path)
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("is_directory", f"{name}: is a folder; give a file, or the folder to `emolens predict`")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("not_a_file", f"{name}: is a pipe, socket or device; give a regular file")
        if status.st_size > limits.max_bytes:
            raise _too_many_bytes(name, status.st_size, limits)
        with path.open("rb", buffering=0) as file:
            # Memory for all that is asked for is taken at once. Some file systems know no sizes, or give parts.
            left = status.st_size or limits.max_bytes + 1
            at_once, parts = status.st_size or _PART, []
            while left and (part := file.read(min(left, at_once))):
                parts.append(part)
                left -= len(part)
        data = b"".join(parts)
        if len(data) > limits.max_bytes:
            raise _too_many_bytes(name, len(data), limits)
        return data
    except PermissionError:
        raise ImageError("no_permission", f"{name}: may not be read; change its permissions") from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise ImageError("not_found", f"{name}: there is no such file; check the path") from None
    except OSError as error:
        raise ImageError(
            "unreadable", f"{name}: cannot be read ({error.strerror}); check the disk and the path"
        ) from None


def source_name(source: ImageSource, index: int | None = None) -> str:
    """The path, or `<bytes>`, `<image>`, `<array>`; with an index `<bytes 3>`."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    kinds = {bytes: "bytes", Image.Image: "image", np.ndarray: "array"}
    kind = next((word for type_, word in kinds.items() if isinstance(source, type_)), type(source).__name__)
    return f"<{kind}>" if index is None else f"<{kind} {index}>"


def looks_like_image(path: Path) -> bool:
    """Whether a regular file begins as one of the formats that `decode` reads; False where it cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return image_format(file.read(HEAD)) is not None
    except (OSError, ValueError):
        return False


def crop_face(pixels: NDArray[np.uint8], box: Box | None, crop: Crop, size: Input) -> NDArray[np.uint8]:
    """Cuts a face out, as the model's card asks for it.

    Args:
        pixels: `(h, w, 3)` uint8 RGB.
        box: `(x, y, w, h)` in pixels of that array; `None` takes the whole image.
        crop: the margin, and whether the box is first made square about its centre.
        size: of the result; a card without one is a detector's, which takes no crops.

    Returns:
        `(H, W, C)` uint8, grey where C is 1. What lies outside of the image repeats its edge.
    """
    if size.height is None or size.width is None:
        raise ModelError("a model that takes crops has a height and a width in its card; this one has none")
    height, width = pixels.shape[:2]
    left, top, right, bottom = (0.0, 0.0, width, height) if box is None else _window(box, crop, width, height)
    factor = int(min((right - left) / size.width, (bottom - top) / size.height) // _ENOUGH)
    if factor > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
        left, top, right, bottom = (edge / factor for edge in (left, top, right, bottom))
    x, y = math.floor(left), math.floor(top)
    patch = Image.fromarray(_patch(pixels, x, y, math.ceil(right), math.ceil(bottom)))
    if size.channels == 1:
        patch = patch.convert("L")
    inside = (left - x, top - y, right - x, bottom - y)
    resized = patch.resize((size.width, size.height), Image.Resampling.BILINEAR, box=inside)
    return np.asarray(resized).reshape(size.height, size.width, size.channels)


def _window(box: Box, crop: Crop, width: int, height: int) -> tuple[float, float, float, float]:
    """`left, top, right, bottom`: at least a pixel, centred in the image and, before margins, no larger than it."""
    x, y, w, h = (value if math.isfinite(value) else 0.0 for value in map(float, box))
    centre_x, centre_y = min(max(x + w / 2, 0.0), width), min(max(y + h / 2, 0.0), height)
    w, h = (max(w, h),) * 2 if crop.square else (w, h)
    half_w, half_h = (max(min(side, max(width, height)) * (0.5 + crop.margin), 0.5) for side in (w, h))
    return centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h


def _patch(pixels: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    """Those whole pixels, of which some lie in the image; outside of it its edge is repeated."""
    inside = pixels[max(top, 0) : bottom, max(left, 0) : right]
    if inside.shape[:2] == (bottom - top, right - left):
        return inside
    # `np.pad` would take as long as the rest of a crop.
    above, before = max(-top, 0), max(-left, 0)
    below, after = above + inside.shape[0], before + inside.shape[1]
    patch = np.empty((bottom - top, right - left, 3), np.uint8)
    patch[above:below, before:after] = inside
    patch[above:below, :before], patch[above:below, after:] = inside[:, :1], inside[:, -1:]
    patch[:above], patch[below:] = patch[above], patch[below - 1]
    return patch


def _decode_bytes(data: bytes, name: str, limits: Limits, side: int | None) -> Photo:
    if not data:
        raise ImageError("empty", f"{name}: is empty; copy or download it again")
    if len(data) > limits.max_bytes:
        raise _too_many_bytes(name, len(data), limits)
    kind = image_format(data[:HEAD])
    if kind is None:
        raise _not_readable(data[:HEAD], name)
    image = open_image(data, kind, name, limits.max_pixels)
    stored = image.size
    if side is not None and kind == "JPEG":
        shrink = min(1.0, side / max(stored))
        image.draft(None, (max(1, int(stored[0] * shrink)), max(1, int(stored[1] * shrink))))
    return _photo(image, stored, side, name, data)


def _photo(image: Image.Image, stored: tuple[int, int], side: int | None, name: str, data: bytes = b"") -> Photo:
    pixels = load_upright(image, side, name, data)
    turned = stored_orientation(image) >= 5
    width, height = stored[::-1] if turned else stored
    return Photo(pixels, width, height)


def _decode_array(array: NDArray[np.uint8], name: str, limits: Limits, side: int | None) -> Photo:
    shape_is_right = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not shape_is_right or array.size == 0:
        raise ImageError(
            "bad_array",
            f"{name}: is {array.dtype} of shape {array.shape}; give uint8 of shape (H, W, 3), RGB, or (H, W), grey",
        )
    image = Image.fromarray(array)
    check_pixels(image.size, name, limits.max_pixels)
    return _photo(image, image.size, side, name)


def _too_many_bytes(name: str, found: int, limits: Limits) -> ImageError:
    return ImageError(
        "too_many_bytes",
        f"{name}: is {found / 2**20:.1f} MiB, over the limit of {limits.max_bytes / 2**20:.1f} MiB; "
        f"make it smaller, or raise max_bytes ({settings.MAX_BYTES})",
    )


def _not_readable(head: bytes, name: str) -> ImageError:
    formats = "JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF or HEIC"
    foreign = foreign_content(head)
    if foreign is None:
        return ImageError("not_an_image", f"{name}: is no image that can be recognised; give {formats}")
    suffix = Path(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return ImageError("wrong_extension", f"{name}: is {foreign.name} in spite of its {suffix}; give {formats}")
    if foreign.picture:
        return ImageError("unsupported_format", f"{name}: is {foreign.name}, which is not read; save it as {formats}")
    return ImageError("not_an_image", f"{name}: is {foreign.name}, not an image; give {formats}")
