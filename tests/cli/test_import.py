"""`emolens models import`, called as the command line calls it."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emolens.cli.models import app
from emolens.errors import MissingExtraError
from emolens.runtime import OnnxModel
from foreign_graphs import LABELS, SIZE, foreign_graph


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["import", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_options_reach_the_card_and_the_assumed_scaling_is_said(tmp_path: Path) -> None:
    path, out = foreign_graph(tmp_path / "theirs.onnx", ("batch", 3, SIZE, SIZE)), tmp_path / "deep" / "ours.onnx"
    options = ("--mean", "0.4,0.5,0.3", "--std", "0.2", "--layout", "nchw", "--kind", "scene", "--name", "ours")
    said = run(path, "--labels", "Anger,happy,sad", "--out", out, "--size", SIZE, "--channels", 3, *options)
    assert f"takes {SIZE} x {SIZE} x 3, normalised as (pixels / 255 - 0.4,0.5,0.3) / 0.2" in said
    card = OnnxModel(out, "cpu").card
    assert (card.name, card.kind, card.labels) == ("ours", "scene", LABELS)


def test_without_options_pixels_are_divided_by_255(tmp_path: Path) -> None:
    path = foreign_graph(tmp_path / "theirs.onnx")
    said = run(path, "--labels", ",".join(LABELS), "--out", tmp_path / "ours.onnx")
    assert "(pixels / 255 - 0) / 1" in said


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.delitem(sys.modules, "emolens.export.foreign.keras_file", raising=False)
    path = tmp_path / "theirs.hdf5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(MissingExtraError, match="install the extra 'import'"):
        run(path, "--labels", "happy,sad", "--out", tmp_path / "ours.onnx")


def test_what_it_says_steers_no_terminal(tmp_path: Path) -> None:
    path = foreign_graph(tmp_path / "theirs.onnx")
    said = run(path, "--labels", ",".join(LABELS), "--out", tmp_path / "ours.onnx", "--name", "a\x1b]0;b\x9b")
    assert "a\\x1b]0;b\\x9b" in said
    assert said.strip().isprintable()
