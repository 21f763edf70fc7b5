"""Makes a folder of 30 broken and hostile images, each with the code of the error that it must yield."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

SPARSE_BYTES = 2**31


def make_hostile(folder: Path) -> dict[str, str]:
    """Writes the corpus; all names have an image's suffix, so that a walk through the folder finds them.

    Returns:
        The expected code of each name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, content) in _FILES.items():
        (folder / name).write_bytes(content())
    for name, (_, make) in _ENTRIES.items():
        make(folder / name)
    return {name: code for name, (code, _) in (_FILES | _ENTRIES).items()}


def photo_bytes(kind: str, **options: object) -> bytes:
    """A small picture with detail in it."""
    shades = Image.linear_gradient("L").resize((96, 64))
    picture = Image.merge(
        "RGB", (shades, shades.transpose(Image.Transpose.ROTATE_180), Image.effect_noise((96, 64), 50))
    )
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)  # type: ignore[arg-type]  # options of the format
    return buffer.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A grey PNG that claims that size."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def tiff(*entries: tuple[int, int, int, int]) -> bytes:
    """A TIFF of one directory of `(tag, type, count, value)`."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + table + bytes(512)


def grey_tiff(width: int, height: int, *more: tuple[int, int, int, int]) -> bytes:
    fields = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 200)}
    fields |= {277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, width * height % 2**32)}
    fields |= {tag: rest for tag, *rest in more}
    return tiff(*((tag, *rest) for tag, rest in fields.items()))


def _cut(kind: str) -> bytes:
    whole = photo_bytes(kind)
    return whole[: len(whole) * 2 // 3]


def _jpeg_of_size(width: int, height: int) -> bytes:
    data = bytearray(photo_bytes("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _jpeg_without_tables() -> bytes:
    data = bytearray(photo_bytes("JPEG"))
    at = data.index(b"\xff\xc4") + 5
    data[at : at + 16] = b"\xff" * 16
    return bytes(data)


def _jpeg_of_many_scans() -> bytes:
    data = photo_bytes("JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 5_000 + b"\xff\xd9"


def _damaged_png() -> bytes:
    data = bytearray(photo_bytes("PNG"))
    start = data.index(b"IDAT") + 4
    data[start : start + 2] = b"\xff\xff"  # no stream begins so; damage further in may go unnoticed
    return bytes(data)


def _webp_of_size(width: int, height: int) -> bytes:
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + photo_bytes("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _avif_of_size(width: int, height: int) -> bytes:
    data = bytearray(photo_bytes("AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def _bmp_of_size(width: int, height: int) -> bytes:
    data = bytearray(photo_bytes("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _gif_of_size(width: int, height: int) -> bytes:
    data = bytearray(photo_bytes("GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(photo_bytes("JPEG"))
        file.truncate(SPARSE_BYTES)


_FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty.jpg": ("empty", bytes),
    "claims_60000x60000.png": ("too_many_pixels", lambda: png(60_000, 60_000)),
    "bomb.png": ("too_many_pixels", lambda: png(9_500, 9_500, pixels=bytes(9_500 * 9_501))),
    "bomb.gif": ("too_many_pixels", lambda: _gif_of_size(65_535, 65_535)),
    "bomb.jpg": ("too_many_pixels", lambda: _jpeg_of_size(65_000, 65_000)),
    "bomb.webp": ("too_many_pixels", lambda: _webp_of_size(16_000, 16_000)),
    "bomb.avif": ("too_many_pixels", lambda: _avif_of_size(16_000, 16_000)),
    "bomb.bmp": ("too_many_pixels", lambda: _bmp_of_size(40_000, 40_000)),
    "bomb.tif": ("too_many_pixels", lambda: grey_tiff(50_000, 50_000)),
    "tile_bomb.tif": ("damaged", lambda: grey_tiff(16, 16, (322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 200))),
    "tag_bomb.tif": ("damaged", lambda: grey_tiff(16, 16, (273, 4, 2**31, 8))),
    "scan_bomb.jpg": ("damaged", _jpeg_of_many_scans),
    "truncated.jpg": ("truncated", lambda: _cut("JPEG")),
    "truncated.png": ("truncated", lambda: _cut("PNG")),
    "truncated.webp": ("truncated", lambda: _cut("WEBP")),
    "truncated.gif": ("truncated", lambda: _cut("GIF")),
    "truncated.bmp": ("truncated", lambda: _cut("BMP")),
    "bad_tables.jpg": ("damaged", _jpeg_without_tables),
    "bad_data.png": ("damaged", _damaged_png),
    "no_pixels.bmp": ("damaged", lambda: _bmp_of_size(0, 0)),
    "noise.jpg": ("not_an_image", lambda: b"\0\x01" + random.Random(7).randbytes(5_000)),
    "document.jpg": ("wrong_extension", lambda: b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF"),
    "page.png": ("wrong_extension", lambda: b"<!DOCTYPE html><html><body>404 Not Found</body></html>"),
    "drawing.webp": ("wrong_extension", lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
    "float_colours.tif": ("unsupported_format", lambda: grey_tiff(8, 8, (258, 3, 1, 64), (339, 3, 1, 6))),
}

_ENTRIES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "folder.jpg": ("is_directory", Path.mkdir),
    "dangling.jpg": ("not_found", lambda path: path.symlink_to("nowhere.jpg")),
    "pipe.png": ("not_a_file", os.mkfifo),
    "device.jpg": ("not_a_file", lambda path: path.symlink_to("/dev/zero")),
    "sparse.jpg": ("too_many_bytes", _sparse),
}
