"""What surrounds the pixels of an image file: the orientation is read, the rest is left out before a decoder sees it.

Comments, colour profiles, previews and later frames are where broken and hostile files differ from what decoders
expect (compressed text that grows without end, tags that point nowhere), and nothing in them changes what the picture
shows.
"""

from typing import Literal

_PNG_PARTS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}

# A progressive JPEG has about ten; each one goes over the whole image, however few bytes it has.
_JPEG_MAX_SCANS = 100

# The tags of a TIFF directory that say how pixels are stored, and the orientation.
_TIFF_PARTS = {
    *(254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325),
    *(332, 338, 339, 347, 529, 530, 532),
}
_TIFF_ORIENTATION = 274
_TIFF_TILE = (322, 323)
# A strip is at least one row high, and no image within sane limits has more rows or tiles.
_TIFF_MAX_VALUES = 200_000
_TIFF_MAX_TILE = 2**26


def separate(data: bytes, kind: str) -> tuple[bytes, bytes]:
    """The file without its metadata, and its EXIF block (JPEG and PNG) or nothing.

    What does not follow its format is passed on as it is, for the decoder to judge.

    Raises:
        ValueError: the file asks for absurd amounts of tags, tiles or scans.
    """
    match kind:
        case "JPEG":
            return _separate_jpeg(data)
        case "PNG":
            return _separate_png(data)
        case "TIFF":
            return _without_tiff_extras(data), b""
    return data, b""


def canvas_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height of the canvas of a WebP or GIF, whose decoders allocate it as soon as they open the file."""
    match kind, data[12:16]:
        case "WEBP", b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case "WEBP", b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case "WEBP", b"VP8 ":
            return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
        case "GIF", _:
            return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return None


def orientation(exif: bytes) -> int:
    """The orientation in an EXIF block, 1 to 8; 1 where it is absent or damaged."""
    tiff = exif.removeprefix(b"Exif\0\0")
    if tiff[:2] not in (b"II", b"MM"):
        return 1
    order = _byte_order(tiff)
    start = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[start : start + 2], order)
    for at in range(start + 2, min(start + 2 + 12 * entries, len(tiff)), 12):
        if int.from_bytes(tiff[at : at + 2], order) == _TIFF_ORIENTATION:
            value = int.from_bytes(tiff[at + 8 : at + 10], order)
            return value if 1 <= value <= 8 else 1
    return 1


def _separate_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Drops the application segments but JFIF's and Adobe's, which say how colours are stored, and comments."""
    kept, exif, at = [data[:2]], b"", 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"", b"\xff", b"\xda"):
        marker = data[at + 1]
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4:
            break
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            exif = exif or data[at + 4 : end]
        if marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(data[at:end])
        at = end
    scans = data.count(b"\xff\xda", at)
    if scans > _JPEG_MAX_SCANS:
        raise ValueError(f"it has {scans} scans")
    kept.append(data[at:])
    return b"".join(kept), exif


def _separate_png(data: bytes) -> tuple[bytes, bytes]:
    kept, exif, at = [data[:8]], b"", 8
    while at + 8 <= len(data):
        name = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif name in _PNG_PARTS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept), exif


def _without_tiff_extras(data: bytes) -> bytes:
    """Rewrites the first directory in place, without the tags that pixels do not need; there is no second one then."""
    order = _byte_order(data)
    big = data[2:4] in (b"+\0", b"\0+")
    start_at, number_size, entry_size, count_size = (8, 8, 20, 8) if big else (4, 2, 12, 4)
    start = int.from_bytes(data[start_at : start_at + count_size], order)
    first = start + number_size
    entries = int.from_bytes(data[start:first], order)
    end = first + entries * entry_size
    if end > len(data):
        return data
    kept, tile = [], 1
    for at in range(first, end, entry_size):
        entry = data[at : at + entry_size]
        tag, type_ = int.from_bytes(entry[:2], order), int.from_bytes(entry[2:4], order)
        if tag not in _TIFF_PARTS:
            continue
        if int.from_bytes(entry[4 : 4 + count_size], order) > _TIFF_MAX_VALUES:
            raise ValueError(f"its tag {tag} has too many values")
        if tag in _TIFF_TILE:
            tile *= int.from_bytes(entry[4 + count_size :][: 2 if type_ == 3 else 4], order)
        kept.append(entry)
    if tile > _TIFF_MAX_TILE:
        raise ValueError(f"its tiles have {tile} pixels each")
    table = len(kept).to_bytes(number_size, order) + b"".join(kept)
    return data[:start] + table.ljust(end + count_size - start, b"\0") + data[end + count_size :]


def _byte_order(tiff: bytes) -> Literal["little", "big"]:
    return "little" if tiff[:2] == b"II" else "big"
