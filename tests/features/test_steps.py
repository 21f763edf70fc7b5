"""A model file may take features; the runtime then asks a step for them, and what cannot be had is said in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emolens.card import Features, Input, ModelCard
from emolens.errors import MissingExtraError, ModelError
from emolens.features import base, open_step
from emolens.policy import Policy
from emolens.predictor import Predictor
from emolens.runtime import OnnxModel
from emolens.session import file_hash, run_session
from feature_models import make_embedding_network, make_feature_model

HOG = {"step": "hog", "orientations": 9, "cell": 8, "block": 2}
WIDTH = 5 * 5 * 4 * 9


def crops(count: int, side: int = 48, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


@pytest.fixture
def by_hog(tmp_path: Path) -> Path:
    pytest.importorskip("skimage")
    return make_feature_model(tmp_path / "hog.onnx", HOG, WIDTH)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    return make_embedding_network(tmp_path / "faces.onnx")


@pytest.fixture
def by_embedding(network: Path) -> Path:
    features = {"step": "embedding", "model": network.name, "sha256": file_hash(network)}
    return make_feature_model(
        network.with_name("model.onnx"), features, 16, input={"height": 24, "width": 24, "channels": 3}
    )


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        OnnxModel(path, "cpu")
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_parameters_stand_beside_the_step_in_the_card_and_come_back(by_hog):
    card = OnnxModel(by_hog, "cpu").card
    assert card.features is not None
    assert card.features.parameters == {"orientations": 9, "cell": 8, "block": 2}
    assert '"features":{"step":"hog","model":null,"sha256":null,"orientations":9' in card.to_metadata()["emolens.card"]
    assert ModelCard.from_metadata(card.to_metadata(), "") == card


def test_the_graph_runs_on_what_the_step_makes_of_the_crops(by_hog):
    model, many = OnnxModel(by_hog, "cpu"), crops(70)
    assert model.step is not None
    expected = run_session(model.session, ["logits"], {"features": model.step(many)}, by_hog)[0]
    np.testing.assert_allclose(model.logits(many), expected, rtol=1e-5)
    np.testing.assert_allclose(model.probabilities(many).sum(axis=1), 1, rtol=1e-6)
    assert model.logits(crops(0)).shape == (0, 3)


def test_hog_is_that_of_scikit_image(by_hog):
    from skimage.feature import hog

    model, [crop] = OnnxModel(by_hog, "cpu"), crops(1)
    assert model.step is not None
    expected = hog(crop[..., 0], orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
    np.testing.assert_allclose(model.step(crop[None])[0], expected, rtol=1e-5)


def test_hog_takes_colour_and_sizes_that_leave_pixels_over():
    pytest.importorskip("skimage")
    features = Features.model_validate({"step": "hog", "cell": 7, "block": 3, "orientations": 6})
    step = open_step(features, Input(height=50, width=31, channels=3), Path("m.onnx"))
    found = step(np.random.default_rng(0).integers(0, 256, (2, 50, 31, 3), dtype=np.uint8))
    assert found.shape == (2, step.size)
    assert step.size == 5 * 2 * 9 * 6


def test_crops_of_the_wrong_kind_are_an_error_of_ours(by_hog):
    for wrong in (crops(2, 40), crops(2).astype(np.float32)):
        with pytest.raises(ModelError, match=r"fails on \w+ of shape \(2, .*; it takes uint8 of N x 48 x 48 x 1"):
            OnnxModel(by_hog, "cpu").logits(wrong)


def test_features_of_another_width_than_the_graph_takes_are_refused(tmp_path):
    pytest.importorskip("skimage")
    path = make_feature_model(tmp_path / "wide.onnx", {**HOG, "orientations": 8}, WIDTH)
    assert "is 'features' tensor(float) N x 800, but the graph has 'features' tensor(float) N x 900" in refusal(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cells": 8}, r"features\.cells: Extra inputs are not permitted"),
        ({"cell": 0}, r"features\.cell: Input should be greater"),
        ({"cell": 40}, "no room for a block of 2 x 2 cells of 40 pixels"),
    ],
)
def test_parameters_that_the_step_cannot_use_are_refused(change, said, tmp_path):
    pytest.importorskip("skimage")
    with pytest.raises(ModelError, match=said):
        OnnxModel(make_feature_model(tmp_path / "odd.onnx", {**HOG, **change}, WIDTH), "cpu")


@pytest.mark.parametrize(
    "features",
    [
        {"step": "fourier"},
        {"step": "hog", "model": "a.onnx", "sha256": "0" * 64},
        {"step": "embedding"},
        {"step": "embedding", "model": "a.onnx"},
        {"step": "embedding", "model": "../a.onnx", "sha256": "0" * 64},
        {"step": "embedding", "model": "a.onnx", "sha256": "0"},
    ],
)
def test_a_card_says_what_its_step_needs_and_no_more(features):
    with pytest.raises(ValueError, match=r"validation error"):
        Features.model_validate(features)


def test_a_missing_library_names_the_extra(by_hog, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emolens\[classic\]'"):
        OnnxModel(by_hog, "cpu")


def test_an_embedding_is_the_networks_vector_of_length_one(by_embedding):
    model, many = OnnxModel(by_embedding, "cpu"), crops(3, 24, 3)
    assert model.step is not None
    vectors = model.step(many)
    assert vectors.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors[1], model.step(many[1:2])[0], atol=1e-6)


@pytest.mark.parametrize(("batch", "first"), [("N", True), (1, False), ("N", False)])
def test_networks_of_any_layout_and_batch_give_the_same(batch, first, network, tmp_path):
    other = make_embedding_network(tmp_path / "other.onnx", batch=batch, first=first)
    size = Input(height=24, width=24, channels=3)
    found = [
        open_step(Features(step="embedding", model=path.name, sha256=file_hash(path)), size, tmp_path / "m.onnx")(
            crops(3, 24, 3)
        )
        for path in (network, other)
    ]
    np.testing.assert_allclose(*found, atol=1e-5)


def test_the_embedding_network_is_found_among_the_pulled_models_too(by_embedding, network, tmp_path):
    (tmp_path / "cache").mkdir()
    network.rename(tmp_path / "cache" / network.name)
    assert OnnxModel(by_embedding, "cpu").step is not None


def test_an_embedding_network_that_is_not_here_is_asked_for(by_embedding, network, tmp_path):
    network.unlink()
    said = refusal(by_embedding)
    assert "needs 'faces.onnx' (sha256 " in said
    assert f"copy it beside model.onnx, or into {tmp_path / 'cache'}" in said


def test_another_file_of_its_name_is_refused(by_embedding, network):
    make_embedding_network(network, size=8)
    assert f"but {network} is another file" in refusal(by_embedding)


def test_an_embedding_network_of_another_size_is_refused(network):
    features = {"step": "embedding", "model": network.name, "sha256": file_hash(network)}
    path = make_feature_model(network.with_name("grey.onnx"), features, 16)
    with pytest.raises(ModelError, match=r"takes RGB faces of 24x24 pixels, not of 48x48 with 1 channel"):
        OnnxModel(path, "cpu")


def test_a_classifier_is_no_embedding_network(network, by_hog):
    features = {"step": "embedding", "model": by_hog.name, "sha256": file_hash(by_hog)}
    size = {"height": 24, "width": 24, "channels": 3}
    path = make_feature_model(network.with_name("odd.onnx"), features, 16, input=size)
    with pytest.raises(ModelError, match="is no embedding network"):
        OnnxModel(path, "cpu")


class Choosy(base.Parameters):
    """A step that finds nothing in crops that are dark."""

    size: int = 4

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        features = np.ones((len(crops), 4), np.float32)
        features[crops.mean(axis=(1, 2, 3)) < 10] = np.nan
        return features


@pytest.fixture
def choosy(tmp_path, monkeypatch):
    monkeypatch.setattr("emolens.runtime.open_step", lambda *_: Choosy())
    vector = {"method": "vector", "scale": [1, 1, 1], "shift": [3, 0, 0], "fitted_on": "nothing", "samples": 0}
    return OnnxModel(make_feature_model(tmp_path / "choosy.onnx", {"step": "hog"}, 4, calibration=vector), "cpu")


def test_a_crop_in_which_nothing_is_found_has_even_probabilities_whatever_the_calibration(choosy):
    many = crops(3)
    many[1] = 0
    assert not choosy.logits(many)[1].any()
    np.testing.assert_allclose(choosy.probabilities(many)[1], 1 / 3)
    assert np.ptp(choosy.probabilities(many)[0]) > 0.1
    np.testing.assert_allclose(choosy.probabilities(np.zeros_like(many)), 1 / 3)


def test_an_answer_of_even_probabilities_is_unsure(choosy):
    predictor = Predictor(choosy, None, Policy.load("social"))
    assert predictor.predict(np.zeros((48, 48, 3), np.uint8)).unsure
    assert not predictor.predict(np.full((48, 48, 3), 200, np.uint8)).unsure


def test_no_library_of_a_step_is_imported_before_it_is_needed():
    heavy = "{'skimage', 'mediapipe', 'sklearn'}"
    code = f"import sys, emolens.features.hog, emolens.predictor; print(*{heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
