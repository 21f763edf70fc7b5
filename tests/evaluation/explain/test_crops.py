"""What is explained is what the predictor shows the model."""

from pathlib import Path

import numpy as np
import pytest

from detectors import Told
from emolens.errors import ImageError
from emolens.evaluation.explain.crops import cut_crops
from emolens.policy import Policy
from emolens.predictor import Predictor
from emolens.runtime import OnnxModel
from models import make_model_file

BOXES = [(10, 20, 40, 50), (-30, 10, 60, 60), (100, 10, 60, 80), (300, 10, 20, 20)]


@pytest.fixture
def model(tmp_path: Path) -> OnnxModel:
    return OnnxModel(make_model_file(tmp_path / "tiny.onnx", crop={"margin": 0.1, "square": True}))


@pytest.mark.parametrize("searched_at", [None, 150])
def test_the_faces_are_those_of_the_predictor_in_its_order(model: OnnxModel, searched_at: int | None) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (240, 400, 3), dtype=np.uint8)
    told = Told(BOXES, [0.9] * len(BOXES), size=searched_at)
    faces = Predictor(model, told, Policy.load("social")).predict(pixels).faces
    answers = model.probabilities(np.stack(cut_crops(pixels, model.card, told)))
    assert len(faces) == len(answers) >= 3
    for face, answer in zip(faces, answers, strict=True):
        np.testing.assert_allclose(list(face.probabilities.values()), answer, atol=1e-6)


def test_without_a_detector_the_whole_image_is_the_crop(model: OnnxModel) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 900, 3), dtype=np.uint8)
    (crop,) = cut_crops(pixels, model.card, None)
    whole = Predictor(model, None, Policy.load("social")).predict(pixels)
    np.testing.assert_allclose(list(whole.probabilities.values()), model.probabilities(crop[None])[0], atol=1e-6)


def test_a_photograph_without_a_face_has_no_crop(model: OnnxModel) -> None:
    assert cut_crops(np.zeros((60, 60, 3), np.uint8), model.card, Told([], [])) == []


def test_what_is_no_image_is_refused_as_everywhere(model: OnnxModel) -> None:
    with pytest.raises(ImageError) as caught:
        cut_crops(b"no image", model.card, None)
    assert caught.value.code == "not_an_image"
