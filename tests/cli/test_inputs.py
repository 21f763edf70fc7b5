"""What the user names becomes the list of images to read."""

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from emolens.cli.inputs import gather
from emolens.image import Limits
from emolens.results import Failure


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two photographs with a suffix, one without, a text, something hidden, and a folder with one more."""
    for name in ("b.png", "a.JPG", ".hidden.png", "sub/c.png", "sub/.git/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "b.png").rename(tmp_path / "no_suffix")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def names(album: Path, *items: object) -> list[str]:
    return [os.path.relpath(str(item), album) for item in items]


def test_files_are_taken_as_named_even_when_they_are_not_there() -> None:
    assert gather(["z.txt", "nowhere.jpg"], recursive=False).items == ("z.txt", "nowhere.jpg")


def test_an_empty_name_is_a_failure_and_not_the_current_folder(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    (failure,) = gather([""], recursive=False).items
    assert isinstance(failure, Failure)
    assert failure.code == "not_found"


def test_a_folder_gives_its_images_sorted_and_counts_the_rest(album: Path) -> None:
    found = gather([str(album)], recursive=False)
    assert names(album, *found.items) == ["a.JPG", "b.png", "no_suffix"]
    assert found.skipped == 1


def test_sub_folders_are_looked_into_on_request_only(album: Path) -> None:
    found = gather([str(album)], recursive=True)
    assert names(album, *found.items) == ["a.JPG", "b.png", "no_suffix", "sub/c.png"]


def test_links_to_folders_are_not_followed_so_that_a_circle_ends(album: Path) -> None:
    (album / "sub" / "up").symlink_to(album)
    assert len(gather([str(album)], recursive=True).items) == 4


def test_what_is_called_like_an_image_and_is_none_is_left_to_be_a_failure(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe_without_suffix")
    found = gather([str(tmp_path)], recursive=False)
    assert names(tmp_path, *found.items) == ["folder.jpg", "link.jpg", "pipe.png"]


def test_a_quoted_pattern_is_matched(album: Path) -> None:
    assert names(album, *gather([f"{album}/*.png"], recursive=False).items) == ["b.png"]
    assert names(album, *gather([f"{album}/**/*.png"], recursive=False).items) == ["b.png", "sub/c.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(album: Path) -> None:
    odd = album / "a[1].png"
    (album / "b.png").rename(odd)
    assert gather([str(odd)], recursive=False).items == (str(odd),)


@pytest.mark.parametrize("named", ["*.jpg", "empty"])
def test_what_brings_no_image_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (item,) = gather([named], recursive=False).items
    assert isinstance(item, Failure)
    assert (item.input, item.code) == (named, "not_found")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_a_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        (item, *_) = gather([str(tmp_path)], recursive=False).items
    finally:
        tmp_path.chmod(0o700)
    assert isinstance(item, Failure)
    assert item.code == "no_permission"


def test_a_dash_reads_standard_input_and_no_more_of_it_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 1000)))
    assert gather(["-"], recursive=False, limits=Limits(max_bytes=10)).items == (b"x" * 11,)
