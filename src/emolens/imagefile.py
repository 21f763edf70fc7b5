"""Untrusted image bytes -> a Pillow image: one plugin is chosen by content, limits are checked on the header."""

import io
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
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

from emolens.errors import ImageError

_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Images over this many pixels are decoded one at a time, so that a pool of threads needs no more memory than one.
_LARGE = 8_000_000
_one_large_at_a_time = threading.Lock()


def open_image(data: bytes, kind: str, name: str, max_pixels: int) -> Image.Image:
    """Reads the header and no pixel yet.

    The plugin is called directly: `Image.open` would also warn of large images, and warnings cannot be handled
    safely in threads.

    Raises:
        ImageError: `damaged`, `truncated`, `too_many_pixels`, `missing_extra`.
    """
    opener = _heif_opener(name) if kind == "HEIF" else _OPENERS[kind]
    try:
        image = opener(io.BytesIO(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels(name, "far more pixels than it should", max_pixels) from None
    except Exception as error:  # noqa: BLE001 (plugins raise whatever a broken header makes them stumble over)
        raise _broken(data, kind, name, error) from None
    check_pixels(image.size, name, max_pixels)
    return image


def load_upright(image: Image.Image, side: int | None, name: str, data: bytes = b"", kind: str = "") -> Image.Image:
    """Decodes to upright 8-bit RGB, reduced by a whole factor while the longest side stays at least `side`.

    Raises:
        ImageError: `damaged`, `truncated`, `unsupported_format`.
    """
    with _one_large_at_a_time if image.width * image.height > _LARGE else nullcontext():
        try:
            image.load()
            small = _reduced(_eight_bit(image), side)
            method = _TRANSPOSE.get(orientation(image))
        except Exception as error:  # noqa: BLE001 (as in open_image)
            raise _broken(data, kind, name, error) from None
        rgb = _on_white(small)
        return rgb.transpose(method) if method is not None else rgb


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is absent or damaged."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001 (damaged metadata does not make the picture unreadable)
        return 1
    return value if value in _TRANSPOSE else 1


def check_pixels(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Raises `too_many_pixels` where the size is over the limit, `damaged` where there are none."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError("damaged", f"{name}: its header says {width} x {height} pixels; save it again")
    if width * height > max_pixels:
        raise too_many_pixels(name, f"{width} x {height} pixels", max_pixels)


def too_many_pixels(name: str, found: str, max_pixels: int) -> ImageError:
    return ImageError(
        "too_many_pixels",
        f"{name}: has {found}, over the limit of {max_pixels / 1e6:.1f} million; make it smaller or raise max_pixels",
    )


def _heif_opener(name: str) -> Any:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        raise ImageError(
            "missing_extra", f"{name}: to read HEIC photographs, install the extra 'heic': pip install 'emolens[heic]'"
        ) from None
    return HeifImageFile


def _broken(data: bytes, kind: str, name: str, error: Exception) -> ImageError:
    if "truncat" in str(error).lower() or _is_cut(data, kind):
        return ImageError("truncated", f"{name}: the {kind} file ends too early; copy or download it again")
    if isinstance(error, ValueError) and "conversion" in str(error):
        return ImageError("unsupported_format", f"{name}: {error}; save it as 8-bit RGB")
    return ImageError("damaged", f"{name}: the {kind} data is damaged ({error}); copy it again or save it anew")


def _is_cut(data: bytes, kind: str) -> bool:
    match kind:
        case "JPEG":
            return b"\xff\xd9" not in data[-1024:]
        case "PNG":
            return b"IEND" not in data[-1024:]
        case "WEBP":
            return int.from_bytes(data[4:8], "little") + 8 > len(data)
        case "GIF":
            return not data.rstrip(b"\0").endswith(b";")
        case "BMP":
            return int.from_bytes(data[2:6], "little") > len(data)
    return False


def _reduced(image: Image.Image, side: int | None) -> Image.Image:
    factor = max(image.size) // side if side else 1
    return image.reduce(factor) if factor > 1 else image


def _eight_bit(image: Image.Image) -> Image.Image:
    """One of L, RGB, RGBA, CMYK."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_scaled(np.asarray(image), image.mode))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _scaled(values: np.ndarray[Any, Any], mode: str) -> np.ndarray[Any, Any]:
    """Wide grey values to uint8; what white is, is told by the range that holds them all."""
    if mode.startswith("I;16"):
        return (values >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float32), nan=0, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    tops = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        values, top = values - low, high - low
    return np.rint(values * (255 / top)).astype(np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas
