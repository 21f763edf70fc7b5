"""A package is downloaded once and checked; of whatever it holds only what is needed is read."""

import tarfile
from pathlib import Path

import pytest

from emoji_packages import ROWS, Publish, pack, package_files, row, write_packages
from emolens.data.emoji import packages
from emolens.data.emoji.packages import Vendor, read_package, vendors
from emolens.errors import ConfigError, DataError, ModelError
from layouts import write


def test_a_package_is_downloaded_once_and_then_read_without_a_network(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = publish(pack(package_files("google")))
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    with pytest.raises(ConfigError, match="EMOLENS_OFFLINE=1 forbids downloads"):
        read_package(vendor)
    monkeypatch.delenv("EMOLENS_OFFLINE")
    first = read_package(vendor)
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    assert read_package(vendor) == first
    assert {one.unified for one in first.emoji} == {one["unified"] for one in ROWS}
    assert set(first.pictures) == {one["image"] for one in ROWS}


def test_another_file_than_the_pinned_one_is_refused(publish: Publish) -> None:
    vendor = publish(pack(package_files("google"))).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ModelError, match="does not bring the file that it should"):
        read_package(vendor)


def test_an_unpacked_package_is_read_alike(publish: Publish, tmp_path: Path) -> None:
    vendor = publish(pack(package_files("google")))
    assert read_package(vendor, write_packages(tmp_path / "node_modules", "google")) == read_package(vendor)


def test_links_devices_and_what_lies_elsewhere_are_left_alone(publish: Publish) -> None:
    strangers = []
    for name, kind in (
        ("package/img/google/64/1f920.png", tarfile.SYMTYPE),
        ("package/img/google/64/1f921.png", tarfile.LNKTYPE),
        ("package/img/google/64/1f922.png", tarfile.FIFOTYPE),
        ("package/img/google/64/../../../../1f923.png", tarfile.REGTYPE),
        ("/1f924.png", tarfile.REGTYPE),
        ("package/img/apple/64/1f925.png", tarfile.REGTYPE),
        ("package/img/google/64/run.sh", tarfile.REGTYPE),
    ):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/hostname"
        strangers.append(member)
    found = read_package(publish(pack(package_files("google"), strangers)))
    assert set(found.pictures) == {one["image"] for one in ROWS}


def test_a_link_in_a_folder_is_left_alone(tmp_path: Path, google: Vendor) -> None:
    folder = write_packages(tmp_path, "google")
    images = folder / "emoji-datasource-google" / "img" / "google" / "64"
    (images / "1f920.png").symlink_to(write(tmp_path / "secret", "secret"))
    assert "1f920.png" not in read_package(google, folder).pictures


def test_a_picture_too_large_to_be_one_is_left_away(publish: Publish) -> None:
    files = package_files("google") | {"img/google/64/1f600.png": bytes(300_000)}
    assert "1f600.png" not in read_package(publish(pack(files))).pictures


def test_an_archive_of_countless_files_is_refused(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_MOST_MEMBERS", 5)
    with pytest.raises(DataError, match="over 5 files; that is no package of emoji"):
        read_package(publish(pack(package_files("google"))))


@pytest.mark.parametrize("archive", [b"no archive", b"\x1f\x8b\x08\x00", pack(package_files("google"))[:900]])
def test_what_is_no_archive_is_told(archive: bytes, publish: Publish) -> None:
    with pytest.raises(DataError, match=r"cannot be read: .*; remove it, and it is downloaded anew"):
        read_package(publish(archive))


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (b"[", "emoji.json: it: Invalid JSON"),
        (b'[{"unified": "1F600"}]', "emoji.json: 0.image: Field required"),
        (
            b'[{"unified": "1F600", "image": "../../x.png", "category": "", "subcategory": ""}]',
            "0.image: String should",
        ),
        (b"", "lacks emoji.json"),
    ],
)
def test_a_table_that_is_none_is_told(table: bytes, what: str, publish: Publish) -> None:
    with pytest.raises(DataError, match=what):
        read_package(publish(pack(package_files("google") | {"emoji.json": table})))


def test_a_package_without_pictures_is_told(publish: Publish) -> None:
    with pytest.raises(DataError, match="lacks its pictures of 64 pixels"):
        read_package(publish(pack(package_files("apple", [row("1F600")]))))


def test_a_missing_package_says_what_brings_it(tmp_path: Path, google: Vendor) -> None:
    with pytest.raises(DataError, match=r"`npm install emoji-datasource-google` brings one into node_modules"):
        read_package(google, tmp_path)


def test_every_package_is_pinned_and_states_its_terms() -> None:
    assert list(vendors()) == ["apple", "google", "twitter", "facebook"]
    for one in vendors().values():
        assert one.url.startswith(f"https://registry.npmjs.org/{one.package}/-/{one.package}-")
        assert len(one.sha256) == 64
        assert one.size > 10_000_000
        assert one.terms


@pytest.fixture
def google() -> Vendor:
    return vendors()["google"]
