"""`emolens compare` prints what differs, by how much, and whether that may be chance."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.predictions import Predictions

Run = Callable[..., int]

LABELS = ("happy", "sad")


@pytest.fixture
def run(emolens: Run) -> Run:
    return partial(emolens, "compare")


def evaluation(folder: Path, right: int, rows: int = 40) -> Path:
    """40 samples of one label, of which the first `right` are answered rightly."""
    targets = np.tile(np.float32([1, 0]), (rows, 1))
    probabilities = np.where(np.arange(rows)[:, None] < right, np.float32([0.75, 0.25]), np.float32([0.25, 0.75]))
    answered = np.ones(rows, np.bool_)
    names = tuple(f"row {row}" for row in range(rows))
    folder.mkdir()
    Predictions(names, ("test",) * rows, LABELS, targets, probabilities, answered).save(folder / "predictions.csv")
    content = {
        "model": {"name": f"[{folder.name}]", "version": "2"},
        "labels": LABELS,
        **compute_metrics(probabilities, targets, LABELS),
    }
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder / "metrics.json"


def test_each_figure_is_a_line_with_both_values_the_difference_its_interval_and_p(run, tmp_path, capsys):
    assert run(evaluation(tmp_path / "old", 20), evaluation(tmp_path / "new", 36, rows=38)) == 0
    printed, noted = capsys.readouterr()
    assert f"A: [old] 2 ({tmp_path / 'old' / 'metrics.json'})" in printed
    assert "38 samples in both; left out: 2 only in A, 0 only in B" in printed
    lines = {line.split()[0]: line.split() for line in printed.splitlines() if line.strip()}
    first, second, gap, low, to, high, p = lines["accuracy"][1:]
    assert (first, second, gap, to, p) == ("0.5263", "0.9474", "+0.4211", "to", "0.002")
    assert 0 < float(low) < 0.4211 < float(high)
    assert {"macro_f1", "nll", "brier", "ece", "adaptive_ece"} <= set(lines)
    assert noted == ""


def test_what_cannot_be_paired_is_one_line_and_exit_code_2(run, tmp_path, capsys):
    first, second = evaluation(tmp_path / "old", 20), evaluation(tmp_path / "new", 36)
    second.with_name("predictions.csv").unlink()
    assert run(first, second) == 2
    printed, noted = capsys.readouterr()
    assert printed == ""
    assert "predictions.csv is missing; run `emolens evaluate" in noted
    assert "Traceback" not in noted


def test_a_missing_library_is_one_line_that_names_the_extra(run, tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "emolens.evaluation.compare", raising=False)
    monkeypatch.delitem(sys.modules, "emolens.evaluation.single_label", raising=False)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    assert run(tmp_path / "a.json", tmp_path / "b.json") == 2
    assert "pip install 'emolens[evaluate]'" in capsys.readouterr().err
