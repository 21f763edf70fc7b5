"""What a file is, by its first bytes: one of the image formats that emolens reads, or something else under a name."""

from collections.abc import Callable
from dataclasses import dataclass

HEAD = 4096
"""How many first bytes the functions here need."""


@dataclass(frozen=True)
class Foreign:
    """Content that emolens does not read.

    Attributes:
        name: as in "this is a PDF document".
        picture: it is an image all the same, of a format that emolens does not open.
    """

    name: str
    picture: bool = False


def image_format(head: bytes) -> str | None:
    """The format as Pillow names it (`JPEG`, `PNG`, `WEBP`, `AVIF`, `HEIF`, `GIF`, `BMP`, `TIFF`), or None."""
    return next((name for name, matches in _IMAGES.items() if matches(head)), None)


def foreign_content(head: bytes) -> Foreign | None:
    """What else it is, where that can be told."""
    for start, name, picture in _FOREIGN:
        if head.startswith(start):
            return Foreign(name, picture)
    if head[4:8] == b"ftyp":
        return Foreign("a video")
    if head[:4] == b"RIFF":
        return Foreign("a video or sound file")
    return _text(head)


def _text(head: bytes) -> Foreign | None:
    try:
        # A character may be cut in two where the head ends.
        text = head.decode() if len(head) < HEAD else head[: HEAD - 4].decode(errors="ignore")
    except UnicodeDecodeError:
        return None
    if not text.strip() or any(ord(character) < 9 for character in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in start:
        return Foreign("an SVG drawing", picture=True)
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return Foreign("an HTML page")
    return Foreign("text")


def _brands(head: bytes) -> set[bytes]:
    """The brands of an ISO base media file (AVIF, HEIF, MP4, ...)."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), 256)
    return {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}


def _is_avif(head: bytes) -> bool:
    return bool(_brands(head) & {b"avif", b"avis"})


def _is_heif(head: bytes) -> bool:
    return not _is_avif(head) and bool(
        _brands(head) & {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
    )


_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}

_IMAGES: dict[str, Callable[[bytes], bool]] = {
    "JPEG": lambda head: head.startswith(b"\xff\xd8\xff"),
    "PNG": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "WEBP": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "AVIF": _is_avif,
    "HEIF": _is_heif,
    "GIF": lambda head: head.startswith((b"GIF87a", b"GIF89a")),
    # Two letters are little evidence; a BMP also says how long its second header is.
    "BMP": lambda head: head.startswith(b"BM") and head[14:18] in _BMP_HEADERS,
    "TIFF": lambda head: head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
}

_FOREIGN: tuple[tuple[bytes, str, bool], ...] = (
    (b"8BPS", "a Photoshop document", True),
    (b"\xff\x0a", "a JPEG XL image", True),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", True),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", True),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", True),
    (b"\0\0\1\0", "a Windows icon", True),
    (b"%PDF-", "a PDF document", False),
    (b"%!PS", "a PostScript document", False),
    (b"PK\x03\x04", "a ZIP archive", False),
    (b"PK\x05\x06", "a ZIP archive", False),
    (b"\x1f\x8b", "a gzip archive", False),
    (b"BZh", "a bzip2 archive", False),
    (b"\xfd7zXZ\0", "an xz archive", False),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", False),
    (b"Rar!\x1a\x07", "a RAR archive", False),
    (b"\x1aE\xdf\xa3", "a video", False),
    (b"OggS", "a video or sound file", False),
    (b"ID3", "a sound file", False),
    (b"\x7fELF", "a program", False),
    (b"SQLite format 3\0", "a database", False),
)
