"""The vendors' packages, downloaded once or in a folder of the user's, and what is needed of them."""

import re
import tarfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from emolens import zoo
from emolens.errors import DataError
from emolens.zoo.entries import file_name

_MOST_MEMBERS = 20_000
_MOST_TABLE = 16 << 20
_MOST_PICTURE = 256 << 10
_MOST_PICTURES = 8000
_TABLE = "emoji.json"
_PICTURE = re.compile(r"[0-9a-f]{2,6}(?:-[0-9a-f]{2,6}){0,15}\.png")


class Vendor(BaseModel):
    """Whose artwork it is, and the package that carries it.

    Attributes:
        url: of the package on the npm registry; version and `sha256` make it one file for ever.
        terms: of the artwork.
        open: whether the terms let anybody show the pictures, with credit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    url: str
    size: int
    sha256: str
    terms: str
    open: bool

    @property
    def package(self) -> str:
        """Its name on the registry."""
        return f"emoji-datasource-{self.name}"


class Emoji(BaseModel):
    """One emoji as `emoji.json` has it.

    Attributes:
        unified: its code points, such as `1F642-200D-2194-FE0F`.
        image: the name of its picture's file.
    """

    unified: Annotated[str, Field(pattern=r"^[0-9A-F]{2,6}(-[0-9A-F]{2,6}){0,15}$")]
    image: Annotated[str, Field(pattern=rf"^{_PICTURE.pattern}$")]
    category: str
    subcategory: str


class Package(BaseModel):
    """What is needed of a package.

    Attributes:
        emoji: of all categories.
        pictures: PNG files of 64 x 64 pixels, by name.
    """

    emoji: tuple[Emoji, ...]
    pictures: dict[str, bytes]


@cache
def vendors() -> dict[str, Vendor]:
    """All vendors, by name."""
    table = yaml.safe_load(Path(__file__).with_name("vendors.yaml").read_text(encoding="utf-8"))
    return {name: Vendor(name=name, **fields) for name, fields in table.items()}


def read_package(vendor: Vendor, source: Path | None = None) -> Package:
    """Reads a vendor's package.

    Args:
        vendor: whose.
        source: a folder with the unpacked package, such as `node_modules`; without one it is downloaded into the cache
            once, unless it is there.

    Raises:
        DataError: the package is not there or not what it should be.
        ModelError, ConfigError: as of `zoo.fetch`.
    """
    if source is not None:
        place = source / vendor.package
        return _gathered(_in_folder(place, vendor), place)
    archive = zoo.cache_folder() / file_name(vendor.url)
    zoo.fetch(vendor.url, archive, vendor.size, vendor.sha256)
    return _gathered(_in_archive(archive, vendor), archive)


def _gathered(files: Iterator[tuple[str, bytes]], place: Path) -> Package:
    table = b""
    pictures: dict[str, bytes] = {}
    for name, content in files:
        if name == _TABLE:
            table = content
        elif len(pictures) < _MOST_PICTURES:
            pictures[name] = content
    if not table or not pictures:
        raise DataError(f"{place} lacks {_TABLE if not table else 'its pictures of 64 pixels'}; fetch the package anew")
    try:
        emoji = TypeAdapter(tuple[Emoji, ...]).validate_json(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise DataError(f"{place}: {_TABLE}: {where}: {first['msg']}; fetch the package anew") from None
    return Package(emoji=emoji, pictures=pictures)


def _in_folder(folder: Path, vendor: Vendor) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        raise DataError(f"no package at {folder}; `npm install {vendor.package}` brings one into node_modules")
    images = folder / "img" / vendor.name / "64"
    for file in (folder / _TABLE, *sorted(images.glob("*.png"))):
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _most_bytes(file.name):
            yield file.name, file.read_bytes()


def _in_archive(archive: Path, vendor: Vendor) -> Iterator[tuple[str, bytes]]:
    """Reads the archive as a stream: nothing comes onto the disk, and only plain files of a fitting size are read."""
    folders = {_TABLE: "package"}
    try:
        with tarfile.open(archive, "r|gz") as members:
            for count, member in enumerate(members):
                if count >= _MOST_MEMBERS:
                    raise DataError(f"{archive} holds over {_MOST_MEMBERS:,} files; that is no package of emoji")
                path = PurePosixPath(member.name)
                wanted = str(path.parent) == folders.get(path.name, f"package/img/{vendor.name}/64")
                if wanted and member.isreg() and 0 < member.size <= _most_bytes(path.name):
                    content: IO[bytes] | None = members.extractfile(member)
                    assert content is not None  # it is a plain file
                    yield path.name, content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} cannot be read: {error}; remove it, and it is downloaded anew") from None


def _most_bytes(name: str) -> int:
    """How large a file of that name may be; 0 for those that nobody needs."""
    if name == _TABLE:
        return _MOST_TABLE
    return _MOST_PICTURE if _PICTURE.fullmatch(name) else 0
