"""An evaluation compares over the labels that model and dataset share, and says what it left out."""

import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emolens
from detectors import MagentaPatches
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset, Sample
from emolens.errors import ConfigError, DataError
from emolens.evaluation.evaluate import describe_left_out, evaluate
from emolens.evaluation.metrics import compute_metrics
from emolens.labels import LABEL_SETS, project
from emolens.policy import Policy
from emolens.predictor import Predictor
from emolens.runtime import OnnxModel
from fer_tables import face_png
from models import make_model_file

FERPLUS = (*LABEL_SETS["ferplus8"], "unknown")
SOCIAL8 = LABEL_SETS["social8"]
FER7 = LABEL_SETS["fer7"]


def dataset(targets: list[dict[str, float]], labels: tuple[str, ...]) -> Dataset:
    samples = tuple(
        Sample(f"row {i}", face_png(i), np.array([target.get(label, 0) for label in labels], np.float32), "PublicTest")
        for i, target in enumerate(targets)
    )
    return Dataset("faces", labels, samples, {"leak": 2})


@pytest.fixture
def model(tmp_path: Path) -> OnnxModel:
    return OnnxModel(make_model_file(tmp_path / "tiny.onnx", SOCIAL8, version="3", temperature=2.0), "cpu")


def crops(count: int) -> np.ndarray:
    rng = (np.random.default_rng(seed) for seed in range(count))
    return np.stack([one.integers(0, 256, (48, 48, 1), dtype=np.uint8) for one in rng])


def test_a_dataset_whose_labels_the_model_knows_is_compared_over_its_own_labels(model):
    evaluation = evaluate(model, dataset([{"happy": 1}, {"sad": 1}, {"fear": 1}], FER7))
    assert evaluation.dataset.labels == FER7
    np.testing.assert_allclose(evaluation.probabilities, project(model.probabilities(crops(3)), SOCIAL8, FER7))
    np.testing.assert_allclose(evaluation.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert list(evaluation.metrics["per_class"]) == list(FER7)


def test_a_dataset_with_other_labels_is_brought_to_those_of_the_model(model):
    evaluation = evaluate(model, dataset([{"contempt": 0.6, "sad": 0.4}, {"unknown": 0.7, "happy": 0.3}], FERPLUS))
    assert evaluation.dataset.labels == SOCIAL8
    np.testing.assert_allclose(evaluation.dataset.targets[:, SOCIAL8.index("other")], [0.6, 0.7])
    np.testing.assert_allclose(evaluation.probabilities, model.probabilities(crops(2)))
    assert "kl" in evaluation.metrics


def test_ties_are_judged_after_the_projection_and_counted_beside_what_the_reader_left_out(model):
    targets = [{"contempt": 0.25, "unknown": 0.25, "sad": 0.5}, {"contempt": 0.3, "unknown": 0.3, "sad": 0.4}]
    evaluation = evaluate(model, dataset(targets, FERPLUS))
    assert [sample.name for sample in evaluation.dataset.samples] == ["row 1"]
    assert evaluation.metrics["n"] == 1
    assert evaluation.dataset.left_out == {"leak": 2, "tie": 1}


def test_rows_of_which_nothing_has_a_place_in_the_model_are_counted(tmp_path):
    model = OnnxModel(make_model_file(tmp_path / "fer7.onnx", FER7), "cpu")
    evaluation = evaluate(model, dataset([{"contempt": 1}, {"happy": 1}], FERPLUS))
    assert evaluation.dataset.left_out == {"leak": 2, "no_place_in_labels": 1}


def test_a_model_may_call_the_emotions_by_other_names(tmp_path):
    names = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Neutral")
    model = OnnxModel(make_model_file(tmp_path / "foreign.onnx", names, bias={"Happiness": 50}), "cpu")
    evaluation = evaluate(model, dataset([{"happy": 1}, {"sad": 1}], FER7))
    assert evaluation.metrics["accuracy"] == 0.5
    assert evaluation.metrics["per_class"]["happy"]["recall"] == 1


def test_a_model_that_is_certain_of_a_label_which_the_dataset_lacks_says_nothing_about_the_others(tmp_path):
    model = OnnxModel(make_model_file(tmp_path / "other.onnx", SOCIAL8, bias={"other": 1000}), "cpu")
    evaluation = evaluate(model, dataset([{"happy": 1}], FER7))
    np.testing.assert_allclose(evaluation.probabilities, 1 / 7)


def test_every_sample_keeps_its_own_prediction_across_chunks(model):
    many = dataset([{"happy": 1}] * 515, SOCIAL8)
    np.testing.assert_allclose(evaluate(model, many).probabilities, model.probabilities(crops(515)), atol=1e-6)


def test_larger_pictures_come_down_to_the_size_of_the_card_and_a_box_is_cut_out_first(model, tmp_path):
    Image.fromarray(np.zeros((96, 200, 3), np.uint8)).save(tmp_path / "dark.png")
    picture = np.zeros((96, 200, 3), np.uint8)
    picture[:, :96] = np.random.default_rng(0).integers(0, 256, (96, 96, 1))
    Image.fromarray(picture).save(tmp_path / "face_at_left.png")
    Image.fromarray(picture[:, :96]).save(tmp_path / "face.png")
    target = np.eye(8, dtype=np.float32)[0]
    samples = tuple(
        Sample(name, tmp_path / f"{name}.png", target, "test", box)
        for name, box in (("face", None), ("face_at_left", (0, 0, 96, 96)), ("dark", None))
    )
    face, cut_out, dark = evaluate(model, Dataset("photos", SOCIAL8, samples)).probabilities
    np.testing.assert_allclose(cut_out, face, atol=1e-6)
    np.testing.assert_allclose(dark, 1 / 8, atol=1e-6)


def test_a_sample_that_cannot_be_read_is_named_and_counted_and_the_others_are_measured(model):
    good = dataset([{"happy": 1}, {"sad": 1}], SOCIAL8)
    broken = Sample("row 9", b"\x89PNG", good.samples[0].target, "test")
    with_broken = Dataset("faces", SOCIAL8, (good.samples[0], broken, good.samples[1]))
    evaluation = evaluate(model, with_broken)
    np.testing.assert_array_equal(evaluation.probabilities, evaluate(model, good).probabilities)
    assert evaluation.dataset.left_out == {"unreadable_image": 1}
    assert "row 9" in evaluation.dataset.fault_report
    with pytest.raises(DataError, match="1 read, left out: 1 unreadable image"):
        evaluate(model, Dataset("faces", SOCIAL8, (broken,)))


def test_a_dataset_of_another_objective_is_refused(model):
    samples = dataset([{"happy": 1}], SOCIAL8).samples
    with pytest.raises(DataError, match="tiny is a distribution model and faces a multilabel dataset"):
        evaluate(model, Dataset("faces", SOCIAL8, samples, objective="multilabel"))


def test_nothing_left_to_compare_is_refused_with_the_counts(model):
    with pytest.raises(DataError, match="1 read, left out: 2 leak, 1 tie"):
        evaluate(model, dataset([{"happy": 0.5, "sad": 0.5}], SOCIAL8))


def test_several_labels_are_compared_over_those_asked_for(tmp_path):
    model = OnnxModel(
        make_model_file(tmp_path / "multi.onnx", ("happiness", "joy", "sad"), objective="multilabel"), "cpu"
    )
    labels = ("happy", "sad", "fear")
    several = replace(dataset([{"happy": 1, "sad": 1}, {}], labels), objective="multilabel")
    evaluation = evaluate(model, several, labels)
    independent = model.probabilities(crops(2))
    either = 1 - (1 - independent[:, 0]) * (1 - independent[:, 1])
    np.testing.assert_allclose(evaluation.probabilities[:, 0], either, atol=1e-6)
    np.testing.assert_allclose(
        evaluation.probabilities[:, 1:], np.stack([independent[:, 2], [0, 0]], axis=1), atol=1e-6
    )
    assert evaluation.metrics["n"] == 2  # no label at all is an answer, too


def test_votes_and_answers_are_compared_over_the_labels_asked_for(model):
    evaluation = evaluate(model, dataset([{"happy": 1}, {"contempt": 1}], FERPLUS), FER7)
    assert evaluation.dataset.labels == FER7
    assert evaluation.dataset.left_out == {"leak": 2, "no_place_in_labels": 1}
    np.testing.assert_allclose(evaluation.probabilities, project(model.probabilities(crops(1)), SOCIAL8, FER7))


def photo(*faces: tuple[int, int, int, int]) -> bytes:
    pixels = np.zeros((120, 200, 3), np.uint8)
    for x, y, w, h in faces:
        pixels[y : y + h, x : x + w] = (255, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_in_photographs_the_face_that_was_meant_is_found_or_counts_as_wrong(model):
    target = np.eye(8, dtype=np.float32)[0]
    two = photo((10, 20, 40, 50), (100, 10, 60, 80))
    samples = tuple(
        Sample(name, image, target, "test", box)
        for name, image, box in (
            ("left", two, (8, 22, 40, 50)),
            ("elsewhere", two, (60, 60, 30, 30)),
            ("broken", b"\x89PNG", None),
            ("largest", two, None),
            ("none", photo(), None),
        )
    )
    evaluation = evaluate(model, Dataset("photos", SOCIAL8, samples), detector=MagentaPatches())
    assert evaluation.answered.tolist() == [True, False, True, False]
    assert evaluation.dataset.left_out == {"unreadable_image": 1}
    assert [sample.box for sample in evaluation.dataset.samples][::2] == [(10, 20, 40, 50), (100, 10, 60, 80)]
    np.testing.assert_array_equal(evaluation.probabilities[[1, 3]], np.zeros((2, 8)))
    np.testing.assert_allclose(evaluation.probabilities[[0, 2]].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("fields", [{"kind": "scene"}, {"objective": "multilabel"}])
def test_only_models_that_give_a_face_one_emotion_are_measured_from_photographs(tmp_path, fields):
    model = OnnxModel(make_model_file(tmp_path / "other.onnx", SOCIAL8, **fields), "cpu")
    samples = replace(dataset([{"happy": 1}], SOCIAL8), objective=model.card.objective)
    with pytest.raises(ConfigError, match="leave --from photo out"):
        evaluate(model, samples, detector=MagentaPatches())


def test_a_photograph_is_cut_as_the_predictor_cuts_it(model):
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 2000, 3), dtype=np.uint8)
    pixels[200:700, 100:500] = (255, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    sample = Sample("large", file.getvalue(), np.eye(8, dtype=np.float32)[0], "test")
    detector = MagentaPatches(size=500)
    (found,) = evaluate(model, Dataset("photos", SOCIAL8, (sample,)), detector=detector).probabilities
    (face,) = Predictor(model, detector, Policy.load("social")).predict(file.getvalue()).faces
    np.testing.assert_allclose(found, list(face.probabilities.values()), atol=1e-6)


def test_labels_that_the_model_never_answers_are_refused(model):
    with pytest.raises(DataError, match="none of it is among awe, boredom"):
        evaluate(model, dataset([{"happy": 1}], SOCIAL8), ("awe", "boredom"))


def test_metrics_json_says_what_was_measured_on_what(model, tmp_path):
    evaluation = evaluate(
        model, dataset([{"happy": 1}, {"sad": 0.5, "happy": 0.5}, {"fear": 0.7, "sad": 0.3}], SOCIAL8)
    )
    path = evaluation.save(tmp_path)
    found = json.loads(path.read_text())
    assert path == tmp_path / "metrics.json"
    assert found == evaluation.to_dict()
    digest = hashlib.sha256(model.path.read_bytes()).hexdigest()
    assert found["model"] == {"name": "tiny", "version": "3", "sha256": digest}
    assert (found["dataset"], found["split"], found["n"]) == ("faces", "PublicTest", 2)
    assert found["left_out"] == {"leak": 2, "tie": 1}
    assert found["emolens_version"] == emolens.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found["date"])
    assert not list(tmp_path.glob(".*.part"))


def test_what_was_left_out_reads_as_words():
    assert describe_left_out(Dataset("faces", FER7, (), {"mostly_no_face": 11, "tie": 2})) == "11 mostly no face, 2 tie"
    assert describe_left_out(Dataset("faces", FER7, ())) == "nothing"


def test_real_faces_are_measured_on_votes_and_on_labels(model, shared_data):
    path = shared_data / "fer2013plus.parquet"
    votes = evaluate(model, read_dataset("ferplus", path, "PublicTest")).to_dict()
    labels = evaluate(model, read_dataset("fer2013", path, "PublicTest")).to_dict()
    assert (votes["n"], votes["labels"]) == (3160, list(SOCIAL8))
    assert votes["left_out"] == {"leak": 279, "mostly_no_face": 11, "tie": 139}
    assert (labels["n"], labels["labels"]) == (3300, list(FER7))
    assert {"kl", "vote_ece", "pearson"} <= set(votes)
    assert not {"kl", "vote_ece", "pearson"} & set(labels)


def test_a_perfect_predictor_of_real_votes_has_no_vote_ece_but_an_ece_of_a_fifth(shared_data):
    read = read_dataset("ferplus", shared_data / "fer2013plus.parquet", "PublicTest")
    votes = read.project(SOCIAL8).without_ties().targets
    found = compute_metrics(votes, votes, SOCIAL8)
    assert found["vote_ece"] == pytest.approx(0, abs=1e-6)
    assert found["ece"] == pytest.approx(0.21, abs=0.005)
