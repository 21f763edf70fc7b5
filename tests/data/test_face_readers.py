"""AffectNet and RAF-DB: codes become labels, boxes are kept, and what shows no expression is left out."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.labels import LABEL_SETS
from layouts import AFFECTNET_HEADER, jpeg, lines, write, write_affectnet_npy, write_rafdb

AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")


def tops(dataset: Dataset) -> list[str]:
    return [dataset.labels[top] for top in dataset.targets.argmax(axis=1)]


def npy_header(length: int) -> bytes:
    """The beginning of a file that promises so many numbers."""
    file = BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (length,)})
    return file.getvalue()


def affectnet(folder: Path, *rows: str) -> Dataset:
    write(folder / "a.jpg", jpeg(0))
    write(folder / "training.csv", lines(AFFECTNET_HEADER, *rows))
    return read_dataset("affectnet", folder)


def test_the_codes_of_affectnet_stand_for_its_expressions_and_the_last_three_for_none(tmp_path: Path) -> None:
    dataset = affectnet(tmp_path, *(f"a.jpg,1,2,3,4,5;6,{code},0,0" for code in range(11)))
    assert tops(dataset) == list(AFFECTNET)
    assert dataset.left_out == {"none": 1, "uncertain": 1, "no_face": 1}
    assert not dataset.faults
    assert dataset.samples[0].box == (1, 2, 3, 4)


def test_affectnets_seven_classes_are_a_projection(tmp_path: Path) -> None:
    dataset = affectnet(tmp_path, *(f"a.jpg,1,2,3,4,5;6,{code},0,0" for code in range(8)))
    seven = dataset.project(LABEL_SETS["fer7"])
    assert sorted(tops(seven)) == sorted(LABEL_SETS["fer7"])
    assert seven.left_out == {"no_place_in_labels": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.jpg,1,2,3,4,5;6,11,0,0", "unknown_label"),
        ("a.jpg,1,2,3,4,5;6,happy,0,0", "bad_value"),
        ("a.jpg,1,2,-1,4,5;6,1,0,0", "bad_box"),
        ("a.jpg,1,2,0,4,5;6,1,0,0", "bad_box"),
        ("a.jpg,nan,2,3,4,5;6,1,0,0", "bad_box"),
        ("a.jpg,NULL,2,3,4,5;6,1,0,0", "bad_box"),
        ("a.jpg,1,2,3,4", "bad_row"),
        ("b.jpg,1,2,3,4,5;6,1,0,0", "missing_file"),
    ],
)
def test_a_row_of_affectnet_at_fault_is_named_with_its_line(row: str, reason: str, tmp_path: Path) -> None:
    dataset = affectnet(tmp_path, row, "a.jpg,1,2,3,4,5;6,1,0,0")
    assert len(dataset) == 1
    assert dataset.left_out == {reason: 1}
    assert "training.csv:2: " in dataset.fault_report


@pytest.mark.parametrize("content", [np.array("1"), np.array(["1"]), np.array(1), np.array([1])])
def test_the_code_in_an_npy_file_may_be_text_or_a_number(content: np.ndarray, tmp_path: Path) -> None:
    folder = write_affectnet_npy(tmp_path)
    np.save(folder / "val_set/annotations/12_exp.npy", content)
    assert tops(read_dataset("affectnet", folder, "val_set")) == ["happy"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no numpy",
        npy_header(99_999_999_999),
        np.array([1, 2]),
        np.array(1.5),
        np.array(-1),
        np.array({"an": "object"}, dtype=object),
        np.zeros(5000),
    ],
    ids=["empty", "foreign", "huge", "two", "fraction", "negative", "pickle", "long"],
)
def test_an_npy_file_with_anything_else_is_a_fault_and_nothing_in_it_is_run(
    content: bytes | np.ndarray, tmp_path: Path
) -> None:
    folder = write_affectnet_npy(tmp_path)
    file = folder / "val_set/annotations/12_exp.npy"
    file.write_bytes(content) if isinstance(content, bytes) else np.save(file, content, allow_pickle=True)
    dataset = read_dataset("affectnet", folder, "val_set")
    assert dataset.left_out == {"bad_value": 1}
    assert "val_set/annotations/12_exp.npy: " in dataset.fault_report


def test_the_codes_of_rafdb_stand_for_its_labels(tmp_path: Path) -> None:
    write_rafdb(tmp_path)
    rows = (f"train_00001.jpg {code}" for code in range(1, 8))
    write(tmp_path / "EmoLabel/list_patition_label.txt", lines(*rows))
    dataset = read_dataset("rafdb", tmp_path)
    assert tops(dataset) == list(RAFDB)


def test_rafdb_is_found_in_the_folder_above(tmp_path: Path) -> None:
    write_rafdb(tmp_path / "basic")
    assert len(read_dataset("rafdb", tmp_path)) == 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("train_00001.jpg 0", "unknown_label"),
        ("train_00001.jpg 8", "unknown_label"),
        ("train_00001.jpg", "bad_row"),
        ("val_00001.jpg 1", "unknown_split"),
        ("train_00009.jpg 1", "missing_file"),
    ],
)
def test_a_line_of_rafdb_at_fault_is_named(row: str, reason: str, tmp_path: Path) -> None:
    write_rafdb(tmp_path)
    write(tmp_path / "EmoLabel/list_patition_label.txt", lines(row, "test_0001.jpg 1"))
    dataset = read_dataset("rafdb", tmp_path)
    assert len(dataset) == 1
    assert dataset.left_out == {reason: 1}
    assert "list_patition_label.txt:1: " in dataset.fault_report
