"""Paths by environment, as users meet them: a `.env` in the working directory or above it, and every command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import ROOT
from emolens import settings
from fer_tables import fer_row, write_fer_table
from models import make_model_file

Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose `.env` says where data, models and runs are."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".env").write_text("PYTHONPATH=/evil\nEMOLENS_DATA=data\nEMOLENS_MODELS=models\nEMOLENS_RUNS=runs\n")
    for name in ("data", "models", "runs", "sub"):
        (folder / name).mkdir()
    return folder


def test_what_the_developer_has_set_reaches_no_test() -> None:
    assert ROOT not in (Path.cwd(), *Path.cwd().parents)
    assert not set(settings.SETTINGS) & set(os.environ)


def python(folder: Path, *arguments: object, **environment: str) -> Ended:
    """Runs Python there, without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMOLENS_")}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=300)


def emolens(folder: Path, *arguments: object, **environment: str) -> Ended:
    ended = python(folder, "-m", "emolens", *arguments, **environment)
    assert "Traceback" not in ended.stderr
    return ended


def test_info_shows_every_setting_with_its_value_and_where_that_comes_from(project: Path) -> None:
    ended = emolens(project / "sub", "info", EMOLENS_RUNS="~", EMOLENS_MODEL="secret", HOME=str(project))
    rows = {name: value.strip() for name, _, value in (line.partition(":") for line in ended.stdout.splitlines())}
    assert rows["EMOLENS_DATA"] == f"{project}/data ({project}/.env:2)"
    assert rows["EMOLENS_MODELS"] == f"{project}/models ({project}/.env:3)"
    assert rows["EMOLENS_RUNS"] == f"{project} (environment)"
    assert rows["EMOLENS_OFFLINE"] == "none (default)"
    assert rows["EMOLENS_MAX_BYTES"] == "52428800 (default)"
    assert rows["EMOLENS_MODEL"] == "is no setting of emolens"


def test_models_are_named_as_the_file_says(project: Path) -> None:
    make_model_file(project / "models" / "mine.onnx")
    (project / "runs" / "first").mkdir()
    make_model_file(project / "runs" / "first" / "model.onnx", name="first")
    Image.new("RGB", (64, 64)).save(project / "sub" / "photo.png")
    for wanted, name in (("mine", "mine"), ("mine.onnx", "mine"), ("first/model.onnx", "first")):
        options = ("--model", wanted, "--detector", "none", "--format", "jsonl")
        ended = emolens(project / "sub", "predict", "photo.png", *options)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert json.loads(ended.stdout)["model"] == name


def test_data_are_found_as_the_file_says(project: Path) -> None:
    pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")
    write_fer_table(project / "data" / "fer.parquet", [fer_row(0)])
    make_model_file(project / "models" / "mine.onnx")
    evaluate = ("evaluate", "mine", "--dataset", "fer2013", "--out", "figures", "--data")
    assert emolens(project / "sub", *evaluate, "fer.parquet").returncode == 0
    assert json.loads((project / "sub" / "figures" / "metrics.json").read_text())["n"] == 1
    ended = emolens(project / "sub", *evaluate, "fre.parquet")
    said = f"no data at fre.parquet, nor at {project}/data/fre.parquet, where EMOLENS_DATA says to look"
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("train", "face", "--data", "absent", "--out", "mine"), "no data at absent, nor at {}/data/absent,"),
        (("export", "absent", "--out", "model.onnx"), "no run at absent, nor at {}/runs/absent,"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_loaded(project: Path, command: tuple[str], said: str) -> None:
    without_torch = "import sys; sys.modules['torch'] = None; from emolens.cli import main; main()"
    ended = python(project / "sub", "-c", without_torch, *command)
    assert ended.returncode == 2
    assert said.format(project) in ended.stderr


@pytest.mark.slow
def test_a_run_is_left_and_found_as_the_file_says(project: Path) -> None:
    pytest.importorskip("torch", reason="training needs the `train` extra")
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(30)]
    write_fer_table(project / "data" / "fer.parquet", rows)
    tiny = ("network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}", "optimisation.epochs=1", "name=tiny")
    options = [part for setting in tiny for part in ("--set", setting)]
    trained = emolens(project / "sub", "train", "face", "--data", "fer.parquet", "--out", "mine", *options)
    assert trained.returncode == 0, trained.stderr
    assert (project / "runs" / "mine" / "model.onnx").is_file()
    exported = emolens(project / "sub", "export", "mine", "--out", "here.onnx")
    assert exported.returncode == 0, exported.stderr
    assert [path.name for path in (project / "sub").iterdir()] == ["here.onnx"]


@pytest.mark.parametrize("command", [("info",), ("models", "list"), ("policy", "show"), ("predict", "photo.png")])
def test_a_file_that_cannot_be_read_is_one_line_of_every_command(project: Path, command: tuple[str]) -> None:
    (project / ".env").write_text("EMOLENS_DATA=data\nEMOLENS_RUNS=$HOME/runs\n")
    ended = emolens(project, *command)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(f"emolens: {project}/.env:2: ")


def test_the_library_leaves_the_file_alone(project: Path) -> None:
    (project / ".env").write_text("EMOLENS_DATA")
    script = (
        "import os, emolens, emolens.cli; before = dict(os.environ)\n"
        "emolens.load('face', detector=None); assert dict(os.environ) == before"
    )
    ended = python(project, "-c", script)
    assert ended.returncode == 0, ended.stderr
