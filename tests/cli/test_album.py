"""A folder of annotated pictures."""

from pathlib import Path

import pytest
from PIL import Image

from emolens.cli.album import Album
from emolens.errors import ConfigError
from emolens.results import Prediction, Reactions


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "one.png"
    path.parent.mkdir()
    Image.new("RGB", (300, 200), "grey").save(path)
    return path


def test_pictures_of_the_same_name_do_not_overwrite_each_other(tmp_path: Path, image_file: Path) -> None:
    other = tmp_path / "more" / "ONE.jpg"
    other.parent.mkdir()
    Image.new("RGB", (300, 200)).save(other)
    album = Album(tmp_path / "out", [str(image_file), str(other)])
    empty = Prediction("a.jpg", "tiny", 300, 200, {"happy": 1.0}, ("happy",), (), Reactions())
    paths = [album.add(item, empty) for item in (str(image_file), str(other), image_file.read_bytes())]
    assert [path.name for path in paths] == ["one.jpg", "ONE-2.jpg", "stdin.jpg"]
    assert all(path.read_bytes().startswith(b"\xff\xd8\xff") for path in paths)


def test_a_photograph_is_never_overwritten_by_its_picture(image_file: Path) -> None:
    before = image_file.read_bytes()
    with pytest.raises(ConfigError, match="could be overwritten"):
        Album(image_file.parent / "." / "", [str(image_file)])
    assert image_file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_clear_error(image_file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        Album(image_file, [])
