"""Who answers for the page."""

import pytest

from emolens.errors import ImageError
from emolens.image import Limits
from emolens.results import Failure, Prediction
from emolens.ui.backend import DETECTOR, WHOLE, Local
from emolens.ui.pictures import Picture, sample


@pytest.fixture(scope="module")
def local() -> Local:
    return Local(Limits())


def test_the_embedded_models_come_first(local: Local) -> None:
    assert local.models[0] == "face"
    assert (local.detectors[0], local.detectors[-1]) == (DETECTOR, WHOLE)
    assert DETECTOR not in local.models


def test_photos_keep_their_names_and_broken_ones_their_place(local: Local) -> None:
    pictures = [sample("An astronaut"), Picture("broken.jpg", b"\xff\xd8\xff\xe0 no more"), sample("A cat")]
    results = list(local.predict_many(pictures, "face", DETECTOR))
    assert [result.input for result in results] == ["astronaut.jpg", "broken.jpg", "cat.jpg"]
    assert [type(result) for result in results] == [Prediction, Failure, Prediction]


def test_a_photo_that_cannot_be_read_is_named_in_the_error(local: Local) -> None:
    with pytest.raises(ImageError, match=r"^notes\.jpg: is text, not an image") as caught:
        local.predict(Picture("notes.jpg", b"hello there"), "face", DETECTOR)
    assert caught.value.code == "not_an_image"


def test_without_a_detector_the_whole_picture_is_one_face(local: Local) -> None:
    prediction = local.predict(sample("A cat"), "face", WHOLE)
    assert prediction.faces == ()
    assert prediction.dominant is not None


def test_a_model_is_opened_once(local: Local) -> None:
    assert local.predictor("face", DETECTOR) is local.predictor("face", DETECTOR)


def test_what_a_model_says_of_itself_is_known(local: Local) -> None:
    about = local.about("face")
    assert about.card is not None
    assert (about.kind, about.version) == ("face", about.card.version)
    assert about.sha256 is not None
