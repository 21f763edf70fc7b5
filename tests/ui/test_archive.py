"""Photographs out of zip files that anybody may have made."""

import io
import struct
import zipfile

import pytest

from emolens.errors import ImageError
from emolens.image import Limits
from emolens.results import Failure
from emolens.ui import archive
from emolens.ui.archive import Archive
from emolens.ui.pictures import Picture

LIMITS = Limits(max_bytes=10_000)


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return file.getvalue()


def test_photos_come_out_in_order_and_what_is_none_is_counted() -> None:
    found = Archive("a.zip", packed({"b.jpg": b"1", "notes.txt": b"2", "in/A.PNG": b"3", "in/": b""}), LIMITS)
    assert list(found) == [Picture("b.jpg", b"1"), Picture("in/A.PNG", b"3")]
    assert (len(found), found.skipped) == (2, 1)


def test_what_systems_add_is_no_photo() -> None:
    assert len(Archive("a.zip", packed({"__MACOSX/._b.jpg": b"1", ".hidden/c.jpg": b"2"}), LIMITS)) == 0


@pytest.mark.parametrize("name", ["../../etc/b.jpg", "/etc/b.jpg", "..\\..\\etc\\b.jpg"])
def test_no_path_leads_anywhere(name: str) -> None:
    (picture,) = Archive("a.zip", packed({name: b"1"}), LIMITS)
    assert isinstance(picture, Picture)
    assert picture.name == "etc/b.jpg"


def test_names_hold_nothing_that_cannot_be_printed() -> None:
    (picture,) = Archive("a.zip", packed({"a\x1b[31m.jpg": b"1"}), LIMITS)
    assert isinstance(picture, Picture)
    assert picture.name == "a?[31m.jpg"


def codes(data: bytes) -> list[str]:
    return [one.code if isinstance(one, Failure) else "read" for one in Archive("a.zip", data, LIMITS)]


def test_one_photo_that_is_too_large_fails_alone() -> None:
    assert codes(packed({"a.jpg": b"x" * 10_001, "b.jpg": b"x"}, zipfile.ZIP_STORED)) == ["too_many_bytes", "read"]


def test_one_that_unpacks_to_far_more_than_a_photo_fails_alone() -> None:
    data = packed({"a.jpg": bytes(300 * 1024), "b.jpg": b"x"})
    found = Archive("a.zip", data, Limits(max_bytes=2**20))
    assert [type(one) for one in found] == [Failure, Picture]


def test_a_damaged_or_locked_photo_fails_alone() -> None:
    data = packed({"a.jpg": b"hello" * 100, "b.jpg": b"fine"}, zipfile.ZIP_STORED)
    assert codes(data.replace(b"hellohello", b"hellOhello", 1)) == ["damaged", "read"]
    locked = bytearray(packed({"a.jpg": b"1", "b.jpg": b"2"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert codes(bytes(locked)) == ["encrypted", "read"]


def test_a_size_that_lies_gives_no_more_than_it_says() -> None:
    data = bytearray(packed({"a.jpg": b"x" * 9000}, zipfile.ZIP_STORED))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 10)
    assert codes(bytes(data)) == ["damaged"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no more", b"not a zip file at all", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_file_is_a_clear_error(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"^a\.zip: is no zip file") as caught:
        Archive("a.zip", data, LIMITS)
    assert caught.value.code == "damaged"


def test_too_many_files_and_bytes_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed({f"{number}.jpg": b"12" for number in range(5)})
    monkeypatch.setattr(archive, "MOST_MEMBERS", 4)
    with pytest.raises(ImageError, match="more than 4 files"):
        Archive("a.zip", data, LIMITS)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 5)
    monkeypatch.setattr(archive, "MOST_BYTES", 9)
    with pytest.raises(ImageError, match="split it up"):
        Archive("a.zip", data, LIMITS)


def test_a_list_of_contents_that_is_too_long_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_DIRECTORY", 100)
    data = packed({f"{number}.txt": b"" for number in range(5)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ImageError, match="split it up") as caught:
        Archive("a.zip", data, LIMITS)
    assert caught.value.code == "too_many_files"
