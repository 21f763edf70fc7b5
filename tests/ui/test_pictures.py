"""The pictures that the page shows."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emolens.errors import ImageError
from emolens.image import Limits
from emolens.predictor import Predictor
from emolens.ui import pictures
from emolens.ui.pictures import SAMPLES, Picture, annotated, described, face_crops, opened, sample, thumbnail

LIMITS = Limits()


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def big() -> Picture:
    file = io.BytesIO()
    Image.fromarray(np.zeros((3000, 4000, 3), np.uint8)).save(file, "JPEG")
    return Picture("big.jpg", file.getvalue())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_small_and_can_be_read(name: str) -> None:
    picture = sample(name)
    assert len(picture.data) < 50_000
    assert read(picture.data).format == "JPEG"


def test_every_file_among_the_samples_is_named() -> None:
    folder = Path(pictures.__file__).with_name("samples")
    assert {path.name for path in folder.iterdir()} == {file for file, _ in SAMPLES.values()}


def test_a_large_photo_is_shown_small(face: Predictor) -> None:
    prediction = face.predict(big().data)
    assert read(annotated(opened(big(), LIMITS), prediction)).size == (pictures.SHOWN, 3 * pictures.SHOWN // 4)
    assert max(read(thumbnail(big(), LIMITS)).size) <= 96


def test_faces_are_cut_out_square_even_at_the_edge(face: Predictor) -> None:
    picture = sample("An astronaut")
    boxes = [face.predict(picture.data).faces[0].box, (-5.0, -5.0, 30.0, 40.0), (470.0, 470.0, 10.0, 10.0)]
    crops = face_crops(opened(picture, LIMITS), boxes)
    assert [read(crop).size for crop in crops] == [(144, 144)] * 3


def test_what_is_drawn_is_told_in_words_as_well(face: Predictor) -> None:
    picture = sample("An astronaut")
    prediction = face.predict(picture.data)
    assert read(annotated(opened(picture, LIMITS), prediction)).format == "JPEG"
    assert described(prediction) == "the photo with a frame around each face: face 1 happy"
    assert "no face" in described(face.predict(sample("A cat").data))


def test_pictures_over_the_limits_are_refused() -> None:
    with pytest.raises(ImageError, match="over the limit"):
        thumbnail(sample("A cat"), Limits(max_pixels=100))


def test_pictures_of_other_bytes_or_names_are_told_apart() -> None:
    one = Picture("a.jpg", b"1")
    assert len({one.key, Picture("a.jpg", b"2").key, Picture("b.jpg", b"1").key, Picture("a.jpg", b"1").key}) == 3
