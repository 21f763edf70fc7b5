"""What is exported, as the reader `csv` takes it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sqlalchemy")

from emolens import zoo
from emolens.card import Crop, ModelCard
from emolens.data.readers import read_dataset
from emolens.errors import ConfigError
from emolens.feedback import Store
from emolens.feedback.export import export
from feedback_answers import FIRST, make_answer
from models import make_model_file
from pictures import picture

FACE = (100, 40, 40, 30)
PHOTO = picture(FACE, size=(400, 300))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/feedback.db") as store:
        yield store


def card(**given: object) -> ModelCard:
    return zoo.card_of(zoo.find("face")).model_copy(update=given)


def add(store: Store, said: str, image: bytes = PHOTO, **given: object) -> None:
    labels = dict.fromkeys(("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other"), 0.125)
    store.add(make_answer(said=said, probabilities=labels, **{"consent": True, "image": image, "box": FACE, **given}))


def test_several_answers_for_one_face_become_a_soft_label_that_the_reader_takes(store: Store, tmp_path: Path) -> None:
    add(store, "happy", client_id=FIRST)
    add(store, "happy+surprise")
    add(store, "sad", box=(102, 41, 40, 30))
    add(store, "neutral", image=picture(FACE, size=(401, 300)))
    done = export(store.kept(), card(), tmp_path / "out")
    assert (done.pictures, done.answers, done.left_out) == (2, 4, {})
    dataset = read_dataset("csv", tmp_path / "out")
    assert dataset.faults == {}
    assert dataset.labels == card().labels
    first, second = dataset.samples
    np.testing.assert_allclose(first.target, [1.5 / 3, 1 / 3, 0, 0, 0.5 / 3, 0, 0, 0], atol=1e-5)
    assert second.target[6] == 1
    assert first.split in ("train", "val", "test")
    assert first.metadata == {"meta_answers": "3"}
    assert isinstance(first.image, Path)
    assert first.image.name == f"{FIRST}.png"
    assert str(hashlib.sha256(PHOTO).hexdigest()) not in (tmp_path / "out" / "labels.csv").read_text()


@pytest.mark.parametrize(
    ("crop", "size", "corner"),
    [
        (Crop(), (40, 40), False),
        (Crop(square=False), (40, 30), True),
        (Crop(margin=0.5, square=False), (80, 60), False),
    ],
)
def test_faces_are_cut_as_the_model_wants_them(
    store: Store, tmp_path: Path, crop: Crop, size: tuple[int, int], corner: bool
) -> None:
    add(store, "happy", client_id=FIRST)
    export(store.kept(), card(crop=crop), tmp_path / "out")
    with Image.open(tmp_path / "out" / "images" / f"{FIRST}.png") as cut:
        pixels = np.asarray(cut).astype(int)
    assert pixels.shape == (size[1], size[0], 3)
    magenta = np.abs(pixels - (255, 0, 255)).max(axis=2) < 60
    assert magenta[size[1] // 2, size[0] // 2]
    assert bool(magenta[1, 1]) is corner


def test_a_model_that_looks_at_faces_learns_from_faces_and_others_from_whole_images(
    store: Store, tmp_path: Path
) -> None:
    add(store, "happy")
    add(store, "sad", box=None)
    assert export(store.kept(), card(), tmp_path / "faces").left_out == {"about a whole image": 1}
    assert export(store.kept(), card(kind="scene"), tmp_path / "scenes").left_out == {"about a face": 1}
    [sample] = read_dataset("csv", tmp_path / "scenes").samples
    assert isinstance(sample.image, Path)
    with Image.open(sample.image) as whole:
        assert whole.size == (400, 300)


def test_what_people_have_not_agreed_to_is_not_there(store: Store, tmp_path: Path) -> None:
    add(store, "happy", client_id=FIRST)
    store.add(make_answer(said="sad", box=FACE))
    store.add(make_answer(said="sad", box=FACE, consent=True))
    done = export(store.kept(), card(), tmp_path / "out")
    assert (done.pictures, done.answers) == (1, 1)
    assert [path.name for path in (tmp_path / "out" / "images").iterdir()] == [f"{FIRST}.png"]
    assert "1 pictures" in (tmp_path / "out" / "README.md").read_text()


def test_a_folder_that_holds_something_is_left_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ConfigError, match="new or an empty folder"):
        export(store.kept(), card(), tmp_path)
    with pytest.raises(ConfigError, match="new or an empty folder"):
        export(store.kept(), card(), tmp_path / "mine.txt")


def test_models_whose_feedback_no_reader_could_read_are_refused(store: Store, tmp_path: Path) -> None:
    several = zoo.card_of(make_model_file(tmp_path / "several.onnx", objective="multilabel"))
    own = zoo.card_of(make_model_file(tmp_path / "own.onnx", labels=("happy", "hungry")))
    for one, what in ((several, "multilabel"), (own, "hungry")):
        with pytest.raises(ConfigError, match=what):
            export(store.kept(), one, tmp_path / "out")
    assert not (tmp_path / "out").exists()
