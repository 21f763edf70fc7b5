"""Classic recipes become model files that every command takes, without torch; what they lack is said in words."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("skl2onnx")

from emolens.classic.recipe import ClassicRecipe
from emolens.classic.train import train_classic
from emolens.cli import main
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.errors import ConfigError, DataError, MissingExtraError, ModelError
from emolens.export.classic import write_classic
from emolens.runtime import OnnxModel
from emolens.training.reading import checked, read_content
from feature_models import make_embedding_network
from fer_tables import fer_row, write_fer_table
from recipe_lists import CLASSIC

# No landmarks are found in noise; test_landmarks.py has faces.
OF_NOISE = [name for name in CLASSIC if name != "landmarks-mlp"]
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

Command = Callable[..., int]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [fer_row(row, LABELS[row % 7], "Training" if row < 84 else "PublicTest") for row in range(112)]
    return write_fer_table(tmp_path / "fer.parquet", rows)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return make_embedding_network(tmp_path / "faces.onnx")


@pytest.fixture
def emolens(monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["emolens", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return run


def small(name: str, network: Path) -> list[str]:
    """Settings with which a recipe takes the tiny network."""
    if name != "facenet-svm":
        return []
    return ["input={height: 24, width: 24, channels: 3}", f"features.model={network}"]


def recipe(name: str, *settings: str) -> ClassicRecipe:
    return checked(read_content(name, settings), ClassicRecipe, name)


@pytest.mark.parametrize("name", OF_NOISE)
def test_a_recipe_becomes_a_model_file_that_every_command_takes(name, table, network, tmp_path, emolens, capsys):
    run, told = tmp_path / "run", [part for one in small(name, network) for part in ("--set", one)]
    assert emolens("train", name, "--data", table, "--out", run, *told) == 0
    assert "Next: emolens predict PHOTO --model" in capsys.readouterr().out
    network.unlink()  # the run has its own
    out, calibrated = tmp_path / "report", tmp_path / "run" / "calibrated.onnx"
    common = ("--dataset", "fer2013", "--data", table, "--split", "PublicTest")
    assert emolens("evaluate", run / "model.onnx", *common, "--out", out) == 0
    assert json.loads((out / "metrics.json").read_text())["n"] == 28
    assert emolens("evaluate", run, "--dataset", run, "--data", table) == 0
    assert emolens("calibrate", run, *common, "--out", calibrated) == 0
    (tmp_path / "face.png").write_bytes(fer_row(1)["png"])
    assert emolens("predict", tmp_path / "face.png", "--model", calibrated, "--format", "json") == 0
    assert emolens("models", "verify", calibrated) == 0
    assert emolens("models", "show", calibrated) == 0


@pytest.mark.parametrize("name", OF_NOISE)
@pytest.mark.parametrize("head", ["{name: svm, c: 1}", "{name: logistic, c: 1}"])
def test_the_model_file_answers_as_its_source(name, head, table, network, tmp_path):
    trained = train_classic(recipe(name, *small(name, network), f"head={head}"), table, tmp_path / "run")
    path = tmp_path / "run" / "model.onnx"
    card = write_classic(trained.classifier, trained.card, trained.held_out, path)
    assert card.parity is not None
    assert card.parity.agreement == 1
    samples = read_dataset("fer2013", table, "PublicTest").samples
    crops, _ = cut_crops(samples, card.input, card.crop)
    expected = trained.classifier.predict_proba(crops)
    np.testing.assert_allclose(OnnxModel(path, "cpu").probabilities(crops), expected, atol=1e-4)


def test_the_run_says_what_was_done_and_how_good_it_is(table, tmp_path):
    trained = train_classic(recipe("hog-svm", "data.labels=null"), table, tmp_path / "run")
    assert set(trained.card.metrics["held-out training rows"]["per_class"]) == set(LABELS)
    kept = checked(read_content(str(tmp_path / "run/recipe.yaml")), ClassicRecipe, "run")
    assert kept.labels == trained.card.labels
    assert json.loads((tmp_path / "run/versions.json").read_text())["scikit-learn"]


def test_votes_count_for_their_majority_and_ties_are_left_out(table, tmp_path):
    votes = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
    rows = [fer_row(row, "happy", "Training", **{votes[row % 8]: 6, votes[(row + 1) % 8]: 4}) for row in range(96)]
    rows += [fer_row(row, "happy", "Training", anger=5, fear=5) for row in range(96, 100)]
    path = write_fer_table(table.with_name("plus.parquet"), rows)
    trained = train_classic(recipe("hog-svm", "data.dataset=ferplus", "data.labels=social8"), path, tmp_path / "run")
    assert "other" in trained.card.labels
    assert trained.classifier.nothing_found_ == 0
    measured = trained.card.metrics["held-out training rows"]
    assert len(trained.held_out) == measured["n"]
    assert "kl" in measured


def test_embeddings_are_made_once(table, network, models, tmp_path):
    for run in ("first", "second"):
        train_classic(recipe("facenet-svm", *small("facenet-svm", network)), table, tmp_path / run)
    [kept] = (models / "features").glob("embedding-*/*.parquet")
    changed = kept.stat().st_mtime_ns
    train_classic(recipe("facenet-svm", *small("facenet-svm", network), "head.c=2"), table, tmp_path / "third")
    assert [path.stat().st_mtime_ns for path in kept.parent.iterdir()] == [changed]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["features.cel=8"], "'features.hog.cel' is no key of a recipe; did you mean 'cell'?"),
        (["head.C=8"], "'head.svm.C' is no key of a recipe"),
        (["network={name: cnn48}"], "'network' is no key of a recipe"),
        (["features.step=hug"], "features"),
        (["head.name=forest"], "head"),
        (["head.c=0"], "greater than 0"),
        (["balance=sampler"], "balance"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words(settings, message):
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        recipe("hog-svm", *settings)


def test_a_label_with_too_few_samples_is_named(table, tmp_path):
    rows = [fer_row(row, LABELS[row % 3], "Training") for row in range(60)]
    path = write_fer_table(table.with_name("three.parquet"), rows)
    with pytest.raises(DataError, match=r"happy \(0\), sad \(0\), surprise \(0\), neutral \(0\); 5 are the fewest"):
        train_classic(recipe("hog-svm"), path, tmp_path / "run")


def test_a_folder_with_a_training_is_left_alone(table, tmp_path):
    train_classic(recipe("hog-svm"), table, tmp_path / "run")
    with pytest.raises(ConfigError, match="holds a training already"):
        train_classic(recipe("hog-svm"), table, tmp_path / "run")


def test_a_network_that_is_not_there_is_told_before_any_face_is_read(table, tmp_path):
    with pytest.raises(ModelError, match="`emolens models pull sface`"):
        train_classic(recipe("facenet-svm"), table, tmp_path / "run")
    with pytest.raises(ModelError, match="'sfaze' is neither a model nor a file; did you mean 'sface'"):
        train_classic(recipe("facenet-svm", "features.model=sfaze"), table, tmp_path / "run")


def test_a_network_of_the_zoo_is_pulled_once_and_goes_by_its_name(table, models, tmp_path, emolens, publish):
    publish("sface", make_embedding_network(tmp_path / "published.onnx", side=112))
    assert emolens("models", "pull", "sface") == 0
    assert emolens("train", "facenet-svm", "--data", table, "--out", tmp_path / "run") == 0
    model = OnnxModel(tmp_path / "run" / "model.onnx", "cpu")
    assert model.card.features is not None
    assert model.card.features.model == "sface.onnx"
    samples = read_dataset("fer2013", table, "PublicTest").samples
    crops, _ = cut_crops(samples, model.card.input, model.card.crop)
    alone = model.probabilities(crops)
    (tmp_path / "run" / "sface.onnx").unlink()  # then the pulled one serves
    np.testing.assert_array_equal(OnnxModel(tmp_path / "run" / "model.onnx", "cpu").probabilities(crops), alone)
    (models / "sface.onnx").write_bytes(b"another file")
    with pytest.raises(ModelError, match="fetch it with `emolens models pull sface`"):
        OnnxModel(tmp_path / "run" / "model.onnx", "cpu")
    with pytest.raises(ModelError, match="is not the file that sface stands for"):
        train_classic(recipe("facenet-svm"), table, tmp_path / "again")


def test_sface_gets_the_pixels_as_opencv_gives_them():
    step = recipe("facenet-svm").features
    white = (np.ones(3) - step.mean) / step.std
    np.testing.assert_allclose(white, 255, rtol=1e-6)


def test_tracking_and_resuming_are_for_networks(table, tmp_path, emolens, capsys):
    assert emolens("train", "hog-svm", "--data", table, "--out", tmp_path / "run", "--resume") == 2
    assert "trained in one go" in capsys.readouterr().err


def test_the_export_of_a_classic_run_says_that_its_model_file_is_there(table, tmp_path, emolens, capsys):
    assert emolens("train", "hog-svm", "--data", table, "--out", tmp_path / "run") == 0
    assert emolens("export", tmp_path / "run", "--out", tmp_path / "again.onnx") == 2
    assert "is the recipe of a classic system" in capsys.readouterr().err


def test_a_missing_library_names_the_extra(table, tmp_path, monkeypatch):
    trained = train_classic(recipe("hog-svm"), table, tmp_path / "run")
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emolens\[classic\]'"):
        write_classic(trained.classifier, trained.card, trained.held_out, tmp_path / "model.onnx")


@pytest.mark.slow
def test_no_torch_is_needed(table, tmp_path):
    code = (
        "import sys\n"
        f"sys.argv = ['emolens', 'train', 'hog-svm', '--data', {str(table)!r}, '--out', {str(tmp_path / 'run')!r}]\n"
        "from emolens.cli import main\n"
        "try: main()\n"
        "except SystemExit as left: assert not left.code and 'torch' not in sys.modules, left.code"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
