"""`emolens calibrate` writes a model file whose confidence was fitted to data, and says what that was worth."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from emolens.runtime import OnnxModel
from fer_tables import fer_row, write_fer_table
from models import make_model_file

pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")

Run = Callable[..., int]
VOTES = ("happiness", "sadness", "anger", "surprise", "fear", "disgust", "neutral", "contempt")


@pytest.fixture
def run(emolens: Run) -> Run:
    return partial(emolens, "calibrate")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model_file(tmp_path / "tiny.onnx", temperature=0.2)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [fer_row(i, "happy", **{VOTES[i % 8]: 7, VOTES[(i + 1) % 8]: 3}) for i in range(40)]
    return write_fer_table(tmp_path / "fer.parquet", rows)


@pytest.mark.parametrize("method", ["temperature", "expectation-consistency", "vector", "isotonic"])
def test_a_calibrated_model_file_answers_the_same_with_better_confidence(run, model, table, tmp_path, capsys, method):
    out = tmp_path / "new" / "calibrated.onnx"
    arguments = (model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--method", method)
    assert run(*arguments, "--out", out) == 0
    printed, noted = capsys.readouterr()
    before, after = OnnxModel(model, "cpu"), OnnxModel(out, "cpu")
    assert after.card.calibration is not None
    assert after.card.calibration.fitted_on == "ferplus PublicTest"
    assert after.card.calibration.after["nll"] < after.card.calibration.before["nll"]
    crops = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    np.testing.assert_array_equal(before.logits(crops), after.logits(crops))
    assert "tiny 1 on ferplus PublicTest, 40 samples: " in printed
    assert f"{after.card.calibration.after['vote_ece']:.4f}" in printed
    assert str(out) in noted


def test_a_risk_sets_from_when_on_answers_are_unsure(run, tmp_path, capsys):
    model = make_model_file(tmp_path / "cheerful.onnx", bias={"happy": 3})
    rows = [fer_row(i, "sad", happiness=9, anger=1) if i % 4 else fer_row(i, "sad", fear=10) for i in range(40)]
    table = write_fer_table(tmp_path / "fer.parquet", rows)
    arguments = (model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--risk", "0.3")
    assert run(*arguments, "--out", model) == 0
    abstention = OnnxModel(model, "cpu").card.abstention
    assert abstention is not None
    assert abstention.risk <= 0.3
    assert 0.5 < abstention.coverage <= 1
    assert f"unsure under a confidence of {abstention.threshold:.4f}" in capsys.readouterr().out


def test_a_multilabel_model_gets_thresholds_for_its_labels(run, tmp_path, capsys):
    model = make_model_file(tmp_path / "multi.onnx", ("happy", "sad"), objective="multilabel")
    from fer_tables import face_png

    lines = ["image,split,happy,sad"]
    for i in range(12):
        (tmp_path / f"{i}.png").write_bytes(face_png(i))
        lines.append(f"{i}.png,val,{i % 2},{int(i > 5)}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    arguments = (model, "--dataset", "csv", "--data", tmp_path / "table.csv", "--split", "val", "--out", model)
    assert run(*arguments) == 0
    card = OnnxModel(model, "cpu").card
    assert set(card.thresholds) == {"happy", "sad"}
    assert f"threshold of sad: {card.thresholds['sad']:.4f}" in capsys.readouterr().out
    assert run(*arguments, "--risk", "0.1") == 2
    assert "a multilabel model has thresholds instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "PublicTest", "--risk", "0"), "no threshold brings the risk down to 0"),
        (("--split", "PublicTest", "--risk", "1.5"), "a risk is a share, 0 to 1"),
        (("--split", "Training"), "has no split 'Training'"),
        ((), "name a --split that the model has not learnt from"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(run, model, table, tmp_path, capsys, arguments, message):
    out = tmp_path / "out.onnx"
    assert run(model, "--dataset", "ferplus", "--data", table, "--out", out, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_too_few_samples_are_refused(run, model, tmp_path, capsys):
    table = write_fer_table(tmp_path / "few.parquet", [fer_row(i, "sad", sadness=9, anger=1) for i in range(3)])
    arguments = (model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest")
    assert run(*arguments, "--out", tmp_path / "out.onnx") == 2
    assert "has 3 samples" in capsys.readouterr().err
    assert run(*arguments, "--out", tmp_path) == 2
    assert f"write --out {tmp_path / 'calibrated.onnx'}" in capsys.readouterr().err


def test_figures_of_the_former_probabilities_are_kept_as_such(run, table, tmp_path):
    model = make_model_file(tmp_path / "measured.onnx", metrics={"held-out": {"ece": 0.5}})
    assert run(model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--out", model) == 0
    found = OnnxModel(model, "cpu").card.metrics
    assert found == {"before the calibration on ferplus PublicTest: held-out": {"ece": 0.5}}
