"""Photographs out of a zip file, one at a time, within limits; nothing is written, no path in it leads anywhere."""

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath

from emolens.errors import ImageError
from emolens.image import IMAGE_SUFFIXES, Limits
from emolens.results import Failure
from emolens.ui.pictures import Picture

MOST_MEMBERS = 1000
MOST_BYTES = 400 * 2**20
"""Of all photographs in one zip file, unpacked."""

_MOST_RATIO = 200
"""A photograph is compressed already; what shrinks so much is none."""

_MOST_DIRECTORY = 2**20
_END, _END_SIZE, _LOCATOR_SIZE = b"PK\x05\x06", 22, 20
_LONGEST_COMMENT = 2**16


class Archive:
    """The photographs in a zip file.

    Args:
        name: of the file.
        data: its bytes.
        limits: of one photograph.

    Raises:
        ImageError: `damaged` where it is no zip file, `too_many_files` and `too_many_bytes` where it holds too much.
    """

    def __init__(self, name: str, data: bytes, limits: Limits) -> None:
        self._limits = limits
        _check_directory(name, data)
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ImageError("damaged", f"{name}: is no zip file that can be read ({error}); pack it anew") from None
        self._photos = [member for member in self._zip.infolist() if _is_photo(member)]
        self.skipped = sum(not member.is_dir() for member in self._zip.infolist()) - len(self._photos)
        if len(self._photos) > MOST_MEMBERS:
            raise _too_many(name)
        if sum(member.file_size for member in self._photos) > MOST_BYTES:
            message = f"{name}: holds over {MOST_BYTES // 2**20} MB of photos; split it up"
            raise ImageError("too_many_bytes", message)

    def __len__(self) -> int:
        """How many photographs there are."""
        return len(self._photos)

    def __iter__(self) -> Iterator[Picture | Failure]:
        """The photographs, in order; a `Failure` in the place of one that cannot be unpacked."""
        for member in self._photos:
            name = _label(member)
            try:
                yield Picture(name, self._read(member, name))
            except ImageError as error:
                yield Failure.from_error(name, error)

    def _read(self, member: zipfile.ZipInfo, name: str) -> bytes:
        if member.flag_bits & 1:
            raise ImageError("encrypted", f"{name}: is locked with a password; pack it without")
        if member.file_size > self._limits.max_bytes:
            message = f"{name}: is over the limit of {self._limits.max_bytes / 2**20:.1f} MiB; make it smaller"
            raise ImageError("too_many_bytes", message)
        if member.file_size > _MOST_RATIO * max(member.compress_size, 1024):
            raise ImageError("damaged", f"{name}: unpacks to far more than a photo does; leave it out")
        try:
            with self._zip.open(member) as file:
                return file.read(self._limits.max_bytes)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError):
            raise ImageError("damaged", f"{name}: is damaged in the zip file; pack it anew") from None


def _check_directory(name: str, data: bytes) -> None:
    """Refuses lists of contents that would take more memory than the limits allow, before they are read."""
    is_plain = data[-_END_SIZE:].startswith(_END) and data.endswith(b"\0\0")
    start = max(0, len(data) - _END_SIZE - _LONGEST_COMMENT)
    end = len(data) - _END_SIZE if is_plain else data.rfind(_END, start)
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    is_large = data[max(0, end - _LOCATOR_SIZE) : end].startswith(b"PK\x06\x07")
    if end >= 0 and (is_large or size > _MOST_DIRECTORY):
        raise _too_many(name)


def _too_many(name: str) -> ImageError:
    return ImageError("too_many_files", f"{name}: holds more than {MOST_MEMBERS} files; split it up")


def _is_photo(member: zipfile.ZipInfo) -> bool:
    path = _path(member)
    is_hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return not member.is_dir() and not is_hidden and path.suffix.lower() in IMAGE_SUFFIXES


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _label(member: zipfile.ZipInfo) -> str:
    """What to call a photograph; it is never opened by that name."""
    parts = [part for part in _path(member).parts if part not in ("/", "..")]
    return "".join(sign if sign.isprintable() else "?" for sign in "/".join(parts))[:200]
