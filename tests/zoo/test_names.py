"""Names of models become files, and nothing is downloaded that was not asked for."""

from pathlib import Path

import pytest

from emolens import zoo
from emolens.errors import ModelError
from models import make_model_file


def test_a_path_stands_for_itself(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "mine.onnx")
    assert zoo.find(path) == path
    assert zoo.find(str(path)) == path


def test_an_embedded_name_stands_for_its_file() -> None:
    for name, path in zoo.embedded().items():
        assert zoo.find(name) == path
        assert zoo.card_of(path).name == name


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"'yunett'.*did you mean 'yunet'"):
        zoo.find("yunett")
    with pytest.raises(ModelError, match="did you mean 'yunet'"):
        zoo.entry("yunt")


def test_a_path_that_is_not_there_is_refused_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file at"):
        zoo.find(tmp_path / "nowhere.onnx")


def test_a_known_model_is_not_downloaded_unasked(cache: Path) -> None:
    with pytest.raises(ModelError, match="emolens models pull yunet"):
        zoo.find("yunet")
    assert not cache.exists()


def test_what_emolens_cannot_run_says_what_to_do_instead() -> None:
    foreign = [one for one in zoo.entries().values() if one.instead]
    assert {"opencv-expression", "hsemotion-b2", "mediapipe-face-landmarker"} <= {one.name for one in foreign}
    for one in foreign:
        with pytest.raises(ModelError, match=f"emolens does not run {one.name} as it is: "):
            zoo.find(one.name)


def test_the_cache_is_the_users_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOLENS_MODELS")
    assert "emolens" in str(zoo.cache_folder())
