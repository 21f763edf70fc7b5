"""The bytes of an image file -> upright RGB pixels: one Pillow plugin is chosen by content, limits come first."""

import io
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from emolens import settings
from emolens.errors import ImageError
from emolens.metadata import canvas_size, orientation, separate

_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}

_TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, 3),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}
"""What makes an image upright, by its EXIF orientation."""

# Decoders that hold an image several times over, and how much smaller it must be for that.
_HUNGRY = {"WEBP": 2, "AVIF": 2}

# Images over this many pixels are decoded one at a time: a pool of threads then needs little more memory than one.
_LARGE = 4_000_000
_one_at_a_time = threading.Lock()

_STRIP = 1_000_000  # pixels


def open_image(data: bytes, kind: str, name: str, max_pixels: int) -> Image.Image:
    """Reads the header and no pixel yet; the EXIF block, if any, is in `image.info["exif"]`.

    The plugin is called directly: `Image.open` also warns of large images, and what a warning does cannot be
    changed safely while other threads run.

    Raises:
        ImageError: `damaged`, `truncated`, `too_many_pixels`, `unsupported_format`, `missing_extra`.
    """
    opener = _heif_opener(name) if kind == "HEIF" else _OPENERS[kind]
    max_pixels //= _HUNGRY.get(kind, 1)
    canvas = canvas_size(data, kind)
    if canvas and math.prod(canvas) > max_pixels:
        raise _too_many_pixels(name, f"{canvas[0]} x {canvas[1]} pixels", max_pixels)
    try:
        pixels_only, exif = separate(data, kind)
        image: Image.Image = opener(io.BytesIO(pixels_only))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name, "far more pixels than any camera makes", max_pixels) from None
    except Exception as error:  # noqa: BLE001 (plugins raise whatever a broken header makes them stumble over)
        raise _broken(data, kind, name, error) from None
    if exif:
        image.info["exif"] = exif
    check_pixels(image.size, name, max_pixels)
    return image


def load_upright(image: Image.Image, side: int | None, name: str, data: bytes = b"") -> NDArray[np.uint8]:
    """Decodes the first frame.

    Args:
        image: as `open_image` gives it.
        side: the result is reduced by a whole factor while its longest side stays at least that long.
        name: for messages.
        data: the file that the image was opened from, to tell a truncated one from a damaged one.

    Returns:
        `(h, w, 3)` uint8.

    Raises:
        ImageError: `damaged`, `truncated`, `unsupported_format`.
    """

    def load() -> NDArray[np.uint8]:
        image.load()
        return _pixels(image, max(1, max(image.size) // side) if side else 1)

    try:
        pixels = _alone(load) if math.prod(image.size) > _LARGE else load()
    except Exception as error:  # noqa: BLE001 (as in open_image)
        raise _broken(data, image.format or "image", name, error) from None
    turn = _TURNS.get(stored_orientation(image))
    upright = pixels if turn is None else turn(pixels)
    # `pixels` lie behind the image in the memory of the thread that decoded it, which is given back only from its end.
    return np.array(upright) if side else np.require(upright, requirements=["C", "W"])


def stored_orientation(image: Image.Image) -> int:
    """The EXIF orientation of an opened image, 1 to 8."""
    return orientation(image.info.get("exif") or b"")


def check_pixels(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Raises `too_many_pixels` where the size is over the limit, `damaged` where there is nothing."""
    if min(size) < 1:
        raise ImageError("damaged", f"{name}: its header says {size[0]} x {size[1]} pixels; copy it again")
    if math.prod(size) > max_pixels:
        raise _too_many_pixels(name, f"{size[0]} x {size[1]} pixels", max_pixels)


def _too_many_pixels(name: str, found: str, max_pixels: int) -> ImageError:
    return ImageError(
        "too_many_pixels",
        f"{name}: has {found}, over the limit of {max_pixels / 1e6:.1f} million; "
        f"make it smaller, or raise max_pixels ({settings.MAX_PIXELS})",
    )


def _heif_opener(name: str) -> type[ImageFile.ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(
            "missing_extra", f"{name}: to read HEIC photographs, install the extra 'heic': pip install 'emolens[heic]'"
        ) from None
    opener: type[ImageFile.ImageFile] = HeifImageFile
    return opener


def _alone(load: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Runs it alone, and in a thread of its own: glibc keeps what a thread has freed for the next new one."""
    with _one_at_a_time, ThreadPoolExecutor(1) as thread:
        return thread.submit(load).result()


def _pixels(image: Image.Image, factor: int) -> NDArray[np.uint8]:
    """Converts and reduces, a large image strip by strip, so that it is held only once."""
    to_plain = _wide_grey(image) if image.mode in ("I", "F") else _plain

    def converted(part: Image.Image) -> NDArray[np.uint8]:
        plain = to_plain(part)
        return np.asarray(plain.reduce(factor) if factor > 1 else plain)

    if math.prod(image.size) <= _STRIP:
        return converted(image)
    pixels = np.empty((math.ceil(image.height / factor), math.ceil(image.width / factor), 3), np.uint8)
    rows = max(1, _STRIP // (image.width * factor))
    for row in range(0, len(pixels), rows):
        box = (0, row * factor, image.width, min((row + rows) * factor, image.height))
        pixels[row : row + rows] = converted(image.crop(box))
    return pixels


def _plain(image: Image.Image) -> Image.Image:
    """To RGB, what is transparent on white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    visible = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(visible, mask=visible.getchannel("A"))
    return canvas


def _wide_grey(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """For 32-bit grey, whose black and white are those of the smallest usual range that holds every value."""
    low, high = (float(extreme) for extreme in image.getextrema())  # type: ignore[arg-type]  # one band, two numbers
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    black, white = next(((0.0, top) for top in usual if low >= 0 and high <= top), (low, high))
    if not math.isfinite(white - black):
        black, white = 0.0, 1.0
    scale = 255 / max(white - black, 1e-30)
    offset = 0.5 - black * scale
    return lambda strip: strip.point(lambda value: value * scale + offset).convert("L").convert("RGB")


def _broken(data: bytes, kind: str, name: str, error: Exception) -> ImageError:
    reason = str(error) or type(error).__name__
    if any(hint in reason.lower() for hint in ("truncat", "end of file")) or _is_cut(data, kind):
        return ImageError("truncated", f"{name}: the {kind} file ends too early; copy or download it again")
    if any(hint in reason.lower() for hint in ("unsupported", "not supported", "unknown pixel mode")):
        return ImageError("unsupported_format", f"{name}: a rare kind of {kind} ({reason}); save it as 8-bit RGB")
    return ImageError("damaged", f"{name}: the {kind} data is damaged ({reason}); copy it again or save it anew")


def _is_cut(data: bytes, kind: str) -> bool:
    """Whether the end that its format promises is missing."""
    endings: dict[str, Any] = {
        "JPEG": lambda: b"\xff\xd9" not in data[-1024:],
        "PNG": lambda: b"IEND" not in data[-1024:],
        "GIF": lambda: not data.rstrip(b"\0").endswith(b";"),
        "WEBP": lambda: int.from_bytes(data[4:8], "little") + 8 > len(data),
        "BMP": lambda: int.from_bytes(data[2:6], "little") > len(data),
    }
    return bool(data) and kind in endings and endings[kind]()
