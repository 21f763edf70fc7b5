"""Features are written as a table for each label, and what has none is counted."""

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("pyarrow")

import pyarrow.parquet as pq

from emolens.classic.recipe import ClassicRecipe
from emolens.classic.tables import write_tables
from emolens.cli.data import features
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.errors import ConfigError
from emolens.training.reading import checked, read_content
from feature_models import make_embedding_network
from fer_tables import fer_row, write_fer_table
from layouts import write, write_csv


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rows = [fer_row(row, ("happy", "sad")[row % 3 // 2], ("Training", "PublicTest")[row // 6]) for row in range(9)]
    return write_fer_table(tmp_path / "fer.parquet", rows)


def recipe(name: str, *settings: str) -> ClassicRecipe:
    return checked(read_content(name, settings), ClassicRecipe, name)


def test_every_label_has_a_table_of_the_split_with_the_features_of_its_faces(faces, tmp_path):
    hog = recipe("hog-svm")
    written = write_tables(hog, faces, tmp_path / "out", None, "parquet")
    assert dict(written.rows) == {tmp_path / "out/happy.parquet": 4, tmp_path / "out/sad.parquet": 2}
    table = pq.read_table(tmp_path / "out/sad.parquet")
    samples = [one for one in read_dataset("fer2013", faces, "Training").samples if one.target[4]]
    assert table["name"].to_pylist() == [sample.name for sample in samples]
    crops, _ = cut_crops(samples, hog.input, hog.crop)
    numbers = np.stack([table[f"f{index}"].to_numpy() for index in range(table.num_columns - 1)], axis=1)
    np.testing.assert_array_equal(numbers, hog.features.open(hog.input).step(crops))


def test_csv_holds_the_same_numbers(faces, tmp_path, capsys):
    for form in ("parquet", "csv"):
        features("hog-svm", faces, tmp_path, "PublicTest", form)
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == f"{tmp_path / 'sad.csv'}: 1"
    assert told.err.splitlines()[-1] == "nothing found in 0 more"
    with (tmp_path / "happy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = pq.read_table(tmp_path / "happy.parquet").to_pylist()
    assert [row["name"] for row in rows] == [row["name"] for row in expected]
    assert [np.float32(row["f7"]) for row in rows] == [np.float32(row["f7"]) for row in expected]


def test_what_cannot_be_read_is_told_and_no_name_is_a_formula(tmp_path):
    table = write_csv(tmp_path / "source", "image,label", "1.jpg,happy", "2.jpg,sad", "3.jpg,happy")
    table = table.rename(table.with_name("=labels.csv"))
    write(table.parent / "2.jpg", b"no picture")
    written = write_tables(recipe("hog-svm", "data={dataset: csv}"), table, tmp_path / "out", None, "csv")
    assert dict(written.rows) == {tmp_path / "out" / "happy.csv": 2}
    assert "2.jpg" in written.fault_report
    with (tmp_path / "out" / "happy.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["'=labels.csv:2", "'=labels.csv:4"]


def test_several_labels_at_once_have_no_table_of_one(tmp_path):
    table = write_csv(tmp_path / "source", "image,../up,b", "1.jpg,1,1", "2.jpg,0,1")
    with pytest.raises(ConfigError, match="has several labels per image"):
        write_tables(recipe("hog-svm", "data={dataset: csv}"), table, tmp_path / "out", None, "csv")


def test_features_that_a_model_makes_are_made_once(faces, tmp_path, monkeypatch):
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "models"))
    network = make_embedding_network(tmp_path / "faces.onnx")
    small = recipe("facenet-svm", f"features.model={network}", "input={height: 24, width: 24, channels: 3}")
    write_tables(small, faces, tmp_path / "out", None, "parquet")
    [kept] = (tmp_path / "models").glob("features/embedding-*/*.parquet")
    changed = kept.stat().st_mtime_ns
    write_tables(small, faces, tmp_path / "out", None, "csv")
    assert [path.stat().st_mtime_ns for path in kept.parent.iterdir()] == [changed]


def test_networks_have_no_features_to_write(faces, tmp_path):
    with pytest.raises(ConfigError, match="fer2013-cnn trains a network, which takes pixels"):
        features("fer2013-cnn", faces, tmp_path)
