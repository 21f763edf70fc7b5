"""Several views of a face, and several models, answer as one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import emolens
from detectors import MagentaPatches
from emolens.classifier import Augmented, Ensemble
from emolens.errors import ConfigError
from emolens.policy import Policy
from emolens.predictor import Predictor, open_classifier
from emolens.runtime import OnnxModel
from models import make_model_file

LABELS = ("happy", "sad", "angry")


def crops(count: int = 3, size: int = 48, channels: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def model(folder: Path, name: str = "tiny", **fields: object) -> OnnxModel:
    return OnnxModel(make_model_file(folder / f"{name}.onnx", **({"labels": LABELS} | fields)), "cpu")


def test_flip_is_the_mean_of_a_face_and_its_mirror_image(tmp_path):
    plain, faces = model(tmp_path), crops()
    expected = (plain.probabilities(faces) + plain.probabilities(faces[:, :, ::-1])) / 2
    np.testing.assert_allclose(Augmented(plain, "flip").classify([faces]), expected, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_full_looks_at_the_middle_and_the_corners_and_their_mirror_images(tmp_path, channels):
    class Noting:
        def __init__(self) -> None:
            self.model, self.seen = model(tmp_path, channels=channels, size=40), []
            self.card, self.framings, self.about = self.model.card, self.model.framings, self.model.about

        def classify(self, framed):
            self.seen.append(framed[0])
            return self.model.classify(framed)

    noting = Noting()
    ramp = np.tile(np.linspace(0, 250, 40, dtype=np.uint8)[None, None, :, None], (2, 40, 1, channels))
    answer = Augmented(noting, "full").classify([ramp])
    assert answer.shape == (2, 3)
    assert len(noting.seen) == 10
    lefts = sorted({int(view[0, 0, :, 0].min()) for view in noting.seen})
    assert lefts[0] < 3
    assert 10 < lefts[1] < 16
    assert 22 < lefts[2] < 28
    assert {view.shape for view in noting.seen} == {(2, 40, 40, channels)}
    assert sum(view[0, 0, 0, 0] > view[0, 0, -1, 0] for view in noting.seen) == 5


def test_models_of_different_sizes_answer_with_the_weighted_mean_in_the_order_of_the_first(tmp_path):
    small = model(tmp_path, "small", size=32)
    large = model(tmp_path, "large", labels=LABELS[::-1], crop={"margin": 0.2})
    both = Ensemble([small, large], [1, 3])
    assert both.card.name == "small + large"
    assert both.card.labels == LABELS
    assert len(both.framings) == 2
    answer = both.classify([crops(size=32), crops()])
    expected = 0.25 * small.probabilities(crops(size=32)) + 0.75 * large.probabilities(crops())[:, ::-1]
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    assert [member["weight"] for member in both.about["members"]] == [0.25, 0.75]


@given(weights=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_an_ensemble_stays_a_distribution(tmp_path_factory, weights):
    folder = tmp_path_factory.mktemp("models")
    one, two, three = (model(folder, name, bias={label: 2}) for name, label in zip("abc", LABELS, strict=True))
    np.testing.assert_allclose(Ensemble([one, two, three], weights).classify([crops()]).sum(axis=1), 1, atol=1e-5)


def test_an_ensemble_has_mean_thresholds_and_nothing_that_was_fitted_to_a_member(tmp_path):
    fitted = {
        "abstention": {"threshold": 0.5, "risk": 0.1, "coverage": 0.9, "fitted_on": "rows"},
        "calibration": {"method": "temperature", "fitted_on": "rows", "samples": 9},
        "metrics": {"rows": {"accuracy": 0.9}},
        "temperature": 2.0,
    }
    low = model(tmp_path, "low", threshold=0.2, **fitted)
    high = model(tmp_path, "high", thresholds={"sad": 0.8}, **fitted)
    card = Ensemble([low, high], [3, 1]).card
    assert card.threshold_of("sad") == pytest.approx(0.35)
    assert card.threshold_of("happy") == pytest.approx((3 * 0.2 + 0.35) / 4)
    assert (card.abstention, card.calibration, card.metrics, card.temperature) == (None, None, {}, 1)


def test_weights_may_be_as_large_as_numbers_are(tmp_path):
    assert Ensemble([model(tmp_path, "one"), model(tmp_path, "two")], [1e308, 1e308]).weights == (0.5, 0.5)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"labels": ("happy", "sad", "bored")}, "labels angry, happy, sad and bored, happy, sad"),
        ({"objective": "multilabel"}, "objective distribution and multilabel"),
        ({"kind": "scene"}, "kind face and scene"),
    ],
)
def test_models_that_do_not_go_together_are_refused(tmp_path, other, message):
    with pytest.raises(ConfigError, match=message):
        Ensemble([model(tmp_path, "one"), model(tmp_path, "two", **other)])


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -2], [1, float("inf")], [1, float("nan")], [1, 2, 3], []])
def test_weights_are_one_positive_number_for_each_model(tmp_path, weights):
    with pytest.raises(ConfigError, match="2 models need 2 weights"):
        Ensemble([model(tmp_path, "one"), model(tmp_path, "two")], weights)


def test_what_cannot_be_opened_is_refused_in_words(tmp_path):
    path = model(tmp_path).path
    with pytest.raises(ConfigError, match="no test-time augmentation; there are flip and full"):
        open_classifier(path, tta="twice")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="one model needs no weight"):
        open_classifier([path], weights=[1])
    with pytest.raises(ConfigError, match="no model to open"):
        open_classifier([])


def test_an_ensemble_with_augmentation_reads_photographs_and_cut_out_faces(tmp_path):
    paths = [model(tmp_path, "small", size=32).path, model(tmp_path, "large", crop={"margin": 0.2}).path]
    photo = np.random.default_rng(1).integers(0, 200, (120, 200, 3), dtype=np.uint8)
    photo[20:70, 10:60] = (255, 0, 255)
    predictor = Predictor(open_classifier(paths, tta="flip"), MagentaPatches(), Policy.load("social"))
    (face,) = predictor.predict(photo).faces
    expected = np.mean(
        [[*Predictor(open_classifier(path, tta="flip"), MagentaPatches(), Policy.load("social"))
          .predict(photo).faces[0].probabilities.values()] for path in paths],
        axis=0,
    )  # fmt: skip
    np.testing.assert_allclose([*face.probabilities.values()], expected, atol=1e-6)
    assert predictor.classify([photo, photo[:, :100]]).shape == (2, 3)
    assert predictor.classify(np.zeros((4, 48, 48, 1), np.uint8)).shape == (4, 3)
    assert emolens.load(paths, weights=[1, 2], tta="full", detector=None).predict(photo).model == "small + large"


def test_views_and_ensembles_answer_the_same_for_many_images_each_model_in_one_thread(tmp_path: Path) -> None:
    one, two = (OnnxModel(make_model_file(tmp_path / f"{name}.onnx", labels=LABELS)) for name in ("one", "two"))
    both = Ensemble([Augmented(one, "flip"), two], [1, 3])
    many = both.for_many()
    np.testing.assert_allclose(many.classify([crops()]), both.classify([crops()]), atol=1e-6)
    assert [
        model.session.get_session_options().intra_op_num_threads for model in (many.models[0].model, many.models[1])
    ] == [1, 1]
