"""`emolens predict --format parquet`: what the JSON says, as a file for tables."""

import io
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from models import make_model_file

parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the `evaluate` extra")

Run = Callable[..., int]
PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"


def test_a_row_per_image_has_what_the_json_has(emolens: Run, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(plain)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PHOTO.read_bytes()[:9000])
    inputs = (PHOTO, broken, plain)
    assert emolens("predict", *inputs, "--format", "parquet", "--output", tmp_path / "found.parquet") == 1
    assert emolens("predict", *inputs, "--format", "json", "--output", tmp_path / "found.json") == 1
    rows = parquet.read_table(tmp_path / "found.parquet").to_pylist(maps_as_pydicts="strict")
    wanted = json.loads((tmp_path / "found.json").read_text())
    for row in (*rows, *wanted):
        row.pop("milliseconds", None)
    assert [{key: value for key, value in row.items() if value is not None} for row in rows] == [
        {key: value for key, value in row.items() if value is not None} for row in wanted
    ]


def test_more_images_than_are_kept_at_once_are_all_written(
    emolens: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolens.cli.parquet._ROWS", 2)
    model = make_model_file(tmp_path / "tiny.onnx", kind="generic")
    out = tmp_path / "found.parquet"
    assert emolens("predict", *[PHOTO] * 5, "--model", model, "--format", "parquet", "--output", out) == 0
    assert parquet.read_table(out).num_rows == 5


def test_a_name_that_is_no_text_becomes_an_escape(emolens: Run, tmp_path: Path) -> None:
    named = tmp_path / "caf\udce9.jpg"
    try:
        named.write_bytes(PHOTO.read_bytes())
    except (OSError, UnicodeEncodeError):
        pytest.skip("file names are text here")
    out = tmp_path / "found.parquet"
    assert emolens("predict", named, tmp_path / "gone\udce9.jpg", "--format", "parquet", "--output", out) == 1
    assert [Path(name).name for name in parquet.read_table(out)["input"].to_pylist()] == [
        "caf\\udce9.jpg",
        "gone\\udce9.jpg",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_a_named_pipe_gets_it_all(emolens: Run, tmp_path: Path, format: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(pipe.read_bytes)
        assert emolens("predict", PHOTO, "--format", format, "--output", pipe) == 0
        whole = reader.result(60)
    if format == "parquet":
        assert parquet.read_table(io.BytesIO(whole)).num_rows == 1
    else:
        assert json.loads(whole)["dominant"] == "happy"
    assert pipe.is_fifo()


def test_what_cannot_be_written_is_told_and_nothing_is_left(
    emolens: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert emolens("predict", PHOTO, "--format", "parquet") == 2
    assert "a Parquet file is no text; name one with --output FILE" in capsys.readouterr().err
    assert emolens("predict", PHOTO, "--format", "parquet", "--output", tmp_path / "no" / "such.parquet") == 2
    assert "cannot be written" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert emolens("predict", PHOTO, "--format", "parquet", "--output", tmp_path / "found.parquet") == 2
    assert "pip install 'emolens[evaluate]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
