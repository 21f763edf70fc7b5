"""The recipe landmarks-mlp on real faces: what is not found is counted, and the model file answers as its source."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("skl2onnx")
pytest.importorskip("torch")

from emolens.classic.recipe import ClassicRecipe
from emolens.classic.train import Trained, train_classic
from emolens.cli import main
from emolens.cli.data import features
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.errors import MissingExtraError, ModelError
from emolens.export.classic import write_classic
from emolens.probability import softmax
from emolens.runtime import OnnxModel
from emolens.training.reading import checked, read_content
from fer_tables import fer_row, write_fer_table

pytestmark = pytest.mark.slow  # a face takes long

LABELS = ("angry", "fear", "happy")
BLANK = 6
SMALL = ("data.labels=[angry, fear, happy]", "head.components=8", "head.widths=[16, 8]", "head.batch_size=32")


@pytest.fixture(scope="module")
def table(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real faces, and in each split some pictures of noise."""
    group = next(pq.ParquetFile(shared_data / "fer2013plus.parquet").iter_batches(400))
    rows = [row for row in group.to_pylist() if row["label"] in LABELS and row["png"]][:150]
    for row in rows[110:]:
        row["usage"] = "PublicTest"
    noise = [fer_row(40_000 + row, LABELS[row % 3], ("Training", "PublicTest")[row % 2]) for row in range(2 * BLANK)]
    columns = fer_row(0).keys()
    return write_fer_table(
        tmp_path_factory.mktemp("faces") / "fer.parquet",
        [{column: row[column] for column in columns} for row in (*rows, *noise)],
    )


@pytest.fixture(scope="module")
def trained(bundle: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOLENS_MODELS", str(tmp_path_factory.mktemp("models")))
        run = tmp_path_factory.mktemp("run")
        trained = train_classic(recipe(f"features.model={bundle}"), table, run)
        write_classic(trained.classifier, trained.card, trained.held_out, run / "model.onnx")
    return trained, run


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def recipe(*settings: str) -> ClassicRecipe:
    return checked(read_content("landmarks-mlp", (*SMALL, *settings)), ClassicRecipe, "landmarks-mlp")


def emolens(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["emolens", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_model_file_answers_as_its_source(trained, table):
    (source, run), model = trained, OnnxModel(trained[1] / "model.onnx", "cpu")
    assert model.card.parity is not None
    assert model.card.parity.agreement == 1
    crops, _ = cut_crops(read_dataset("fer2013", table, "PublicTest").samples, model.card.input, model.card.crop)
    expected = source.classifier.predict_proba(crops)
    np.testing.assert_allclose(softmax(model.logits(crops)), expected, atol=1e-4)
    assert model.probabilities(crops).argmax(axis=1).tolist() == expected.argmax(axis=1).tolist()
    assert not list(run.glob("*.pkl"))


def test_crops_in_which_nothing_is_found_are_counted_in_the_training_and_wrong_in_the_figures(trained):
    metrics = trained[0].card.metrics
    counted, held_out = metrics["training rows"], metrics["held-out training rows"]
    assert counted["outliers"] == 0
    assert counted["samples"] + held_out["n"] == 110 + BLANK
    assert counted["nothing_found"] + held_out.get("missed", 0) >= BLANK
    assert trained[0].classifier.nothing_found_ == counted["nothing_found"]


def test_a_temperature_is_fitted_to_the_held_out_faces(trained):
    card = trained[0].card
    assert card.temperature != 1
    assert card.calibration is not None
    missed = card.metrics["held-out training rows"].get("missed", 0)
    assert card.calibration.samples == card.metrics["held-out training rows"]["n"] - missed


def test_it_runs_wherever_a_model_file_runs_and_the_evaluation_says_what_it_did_not_find(
    trained, table, tmp_path, monkeypatch, capsys
):
    path, out = trained[1] / "model.onnx", tmp_path / "report"
    common = ("--dataset", "fer2013", "--data", table, "--split", "PublicTest")
    assert emolens(monkeypatch, "evaluate", path, *common, "--out", out) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["n"] == 40 + BLANK
    assert metrics["missed"] >= BLANK
    assert f"faces not found, which count as wrong: {metrics['missed']}" in capsys.readouterr().out
    (tmp_path / "noise.png").write_bytes(fer_row(40_000)["png"])
    assert emolens(monkeypatch, "predict", tmp_path / "noise.png", "--model", path, "--format", "json") == 0


def test_points_are_written_as_a_table_for_each_label_and_what_is_not_found_is_counted(bundle, table, tmp_path, capsys):
    settings = [*SMALL, f"features.model={bundle}"]
    features("landmarks-mlp", table, tmp_path, "PublicTest", "csv", settings)
    told = capsys.readouterr()
    rows = sum(int(line.rpartition(" ")[2]) for line in told.out.splitlines())
    missed = int(told.err.splitlines()[-1].split()[3])
    assert rows + missed == 40 + BLANK
    assert missed >= BLANK
    first = (tmp_path / "happy.csv").read_text().splitlines()[0].replace('"', "").split(",")
    assert first[:5] == ["name", "x0", "y0", "z0", "x1"]
    assert first[-1] == "z477"


def test_outliers_are_left_out_where_that_is_asked_for(bundle, table, tmp_path):
    settings = (f"features.model={bundle}", "head.outliers=1", "head.epochs=1")
    counted = train_classic(recipe(*settings), table, tmp_path / "run").card.metrics["training rows"]
    assert counted["outliers"] > 0


def test_the_bundle_is_asked_for_before_any_face_is_read(table, tmp_path):
    with pytest.raises(ModelError, match="`emolens models pull mediapipe-face-landmarker`"):
        train_classic(recipe(), table, tmp_path / "run")


def test_a_training_without_torch_names_the_extra(monkeypatch):
    for name in [one for one in sys.modules if one.startswith("emolens.training.mlp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emolens\[train\]'"):
        recipe().head.build(False, 0)
