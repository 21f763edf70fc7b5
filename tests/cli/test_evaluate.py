"""`emolens evaluate` prints a summary, writes every figure, and explains what it cannot use."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from emolens.labels import LABEL_SETS
from fer_tables import fer_row, write_fer_table
from models import make_model_file

pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")

Run = Callable[..., int]


@pytest.fixture
def run(emolens: Run) -> Run:
    return partial(emolens, "evaluate")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model_file(tmp_path / "tiny.onnx", bias={"happy": 50})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        fer_row(0, "happy"),
        fer_row(1, "sad", sadness=9, happiness=1),
        fer_row(2, "sad", sadness=5, happiness=5),
        fer_row(3, "happy", leak=True),
        fer_row(4, "sad", "Training", sadness=10),
        fer_row(5, None, NF=10, png=None),
    ]
    return write_fer_table(tmp_path / "fer.parquet", rows)


def test_a_summary_is_printed_and_every_figure_written(run, model, table, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert run(model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--out", out) == 0
    printed, noted = capsys.readouterr()
    assert "tiny 1 on ferplus PublicTest: 2 samples; left out: 1 leak, 1 mostly no face, 1 tie" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["accuracy", "0.5000", "0.0000", "to", "1.0000"] in lines
    assert ["happy", "0.5000", "1.0000", "0.6667", "1"] in lines
    page = (out / "report.html").read_text(encoding="utf-8")
    for name in ("ECE against being right", "ECE against votes", "KL divergence from the votes"):
        assert name in printed
        assert name in page
    assert str(out / "metrics.json") in noted
    assert str(out / "report.html") in noted
    assert {"report.html", "metrics.json", "predictions.csv"} <= {file.name for file in out.iterdir()}
    assert json.loads((out / "metrics.json").read_text())["left_out"] == {"leak": 1, "mostly_no_face": 1, "tie": 1}


def test_hard_labels_have_no_figures_about_votes_and_nothing_is_written_unasked(run, model, table, tmp_path, capsys):
    before = set(tmp_path.iterdir())
    assert run(model, "--dataset", "fer2013", "--data", table) == 0
    printed, _ = capsys.readouterr()
    assert "on fer2013 PublicTest, Training: 4 samples; left out: 1 leak, 1 no image" in printed
    assert "votes" not in printed
    assert set(tmp_path.iterdir()) == before


def test_leaks_are_measured_where_they_are_wanted(run, model, table, capsys):
    assert run(model, "--dataset", "fer2013", "--data", table, "--keep-leaks") == 0
    assert "5 samples; left out: 1 no image" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"label": "hapy"}, "row 9: 'hapy' is no label of fer2013; did you mean 'happy'?"),
        ({"png": b"\x89PNG\r\n\x1a\n"}, "row 9: <bytes>: "),
    ],
    ids=["read", "decoded"],
)
def test_faults_in_the_data_are_named_and_with_strict_they_end_it(run, model, tmp_path, fault, said, capsys):
    table = write_fer_table(tmp_path / "faults.parquet", [fer_row(0), {**fer_row(9), **fault}])
    arguments = (model, "--dataset", "fer2013", "--data", table)
    assert run(*arguments) == 0
    printed, noted = capsys.readouterr()
    assert "1 samples; left out: 1 un" in printed
    assert said in noted
    assert run(*arguments, "--strict") == 2
    printed, noted = capsys.readouterr()
    assert printed == ""
    assert said in noted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dataset", "fer2031"], "'fer2031' is no dataset; did you mean 'fer2013'"),
        (["--dataset", "fer2013", "--split", "PrivateTest"], "no split 'PrivateTest'; it has PublicTest, Training"),
        (["--dataset", "fer2013", "--data", "nowhere"], "no data at nowhere"),
        (["--dataset", "fer2013", "--device", "gpu"], "'gpu'"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(run, model, table, arguments, said, capsys):
    assert run(model, "--data", table, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_model_that_is_not_there_is_one_line_and_exit_code_2(run, table, capsys):
    assert run("nowhere.onnx", "--dataset", "fer2013", "--data", table) == 2
    assert "nowhere.onnx" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_costs_no_evaluation(run, model, table, capsys):
    assert run(model, "--dataset", "fer2013", "--data", table, "--out", table) == 2
    printed, noted = capsys.readouterr()
    assert printed == ""
    assert str(table) in noted


def test_labels_are_printed_as_they_are_not_as_markup(run, table, tmp_path, capsys):
    labels = ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "[/red]")
    model = make_model_file(tmp_path / "odd.onnx", labels, name="[bold]")
    assert run(model, "--dataset", "ferplus", "--data", table) == 0
    printed = capsys.readouterr().out
    assert "[bold] 1 on ferplus" in printed
    assert "[/red]" in printed


def test_the_figures_are_kept_though_nobody_reads_the_summary(model: Path, table: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "emolens", "evaluate", model, "--dataset", "ferplus", "--data", table]
    ended = subprocess.run([*command, "--out", tmp_path / "out"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert b"Traceback" not in ended.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["n"] > 0


def test_several_models_and_views_answer_together(run, model, table, tmp_path):
    other = make_model_file(tmp_path / "other.onnx", bias={"sad": 50})
    arguments = ("--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--out", tmp_path)
    assert run(model, "--model", other, "--weight", "1", "--weight", "3", "--tta", "flip", *arguments) == 0
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["per_class"]["sad"]["recall"] == 1
    assert found["model"]["name"] == "tiny + other"
    assert found["model"]["tta"] == "flip"
    assert [member["weight"] for member in found["model"]["members"]] == [0.25, 0.75]


def test_the_labels_to_compare_over_can_be_chosen(run, model, table, tmp_path, capsys):
    arguments = (model, "--dataset", "ferplus", "--data", table, "--out", tmp_path)
    assert run(*arguments, "--labels", "emotion6") == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["labels"] == list(LABEL_SETS["emotion6"])
    assert run(*arguments, "--labels", "emotions6") == 2
    assert "did you mean 'emotion6'?" in capsys.readouterr().err


def test_from_photographs_a_face_that_is_not_found_counts_as_wrong(run, model, table, tmp_path, capsys):
    arguments = (model, "--dataset", "ferplus", "--data", table, "--split", "PublicTest", "--out", tmp_path)
    assert run(*arguments, "--from", "photo") == 0  # noise, in which there is no face
    assert "2 samples; faces not found, which count as wrong: 2; left out" in capsys.readouterr().out
    assert json.loads((tmp_path / "metrics.json").read_text())["accuracy"] == 0


def test_a_folder_without_a_model_file_is_no_run(run, table, tmp_path, capsys):
    assert run(tmp_path, "--dataset", "ferplus", "--data", table) == 2
    assert f"{tmp_path} holds no model.onnx" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_and_its_checkpoint_are_measured_and_calibrated_on_what_the_run_held_out(run, tmp_path, capsys):
    pytest.importorskip("lightning")
    from emolens.export.run import export_run
    from emolens.training.recipe import load_recipe
    from emolens.training.train import train

    rows = [fer_row(i, "sad", "Training", **{("sadness", "happiness")[i % 2]: 10}) for i in range(80)]
    data = write_fer_table(tmp_path / "fer.parquet", rows)
    settings = ["network={name: custom_cnn}", "data.dataset=ferplus", "optimisation.epochs=1"]
    place = tmp_path / "run"
    train(load_recipe("fer2013-cnn", [*settings, "data.labels=social8"]), data, place)
    export_run(place, place / "model.onnx")
    capsys.readouterr()
    for model in (place, place / "checkpoints" / "last.safetensors"):
        assert run(model, "--dataset", place, "--data", data, "--out", tmp_path) == 0
        assert "fer2013-cnn 0.1.0 on ferplus Training: 22 samples" in capsys.readouterr().out
    assert run(place, "--dataset", place, "--data", data, "--split", "Training") == 2
    assert "leave --split out" in capsys.readouterr().err


def test_nothing_that_stands_in_a_file_steers_the_terminal(run, table, tmp_path, capsys):
    model = make_model_file(tmp_path / "hostile.onnx", ("happy", "sad\x1b[31m"), name="\x1b]0;owned\x07")
    for arguments in ((), ("--split", "\x1b[2J")):
        run(model, "--dataset", "fer2013", "--data", table, *arguments)
        printed, noted = capsys.readouterr()
        assert "\x1b" not in printed + noted
        assert "\x07" not in printed + noted


def test_without_the_extra_it_is_named(run, model, table, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "emolens.evaluation.report", raising=False)
    monkeypatch.delitem(sys.modules, "emolens.evaluation.report.page", raising=False)
    assert run(model, "--dataset", "fer2013", "--data", table) == 2
    assert "pip install 'emolens[evaluate]'" in capsys.readouterr().err
