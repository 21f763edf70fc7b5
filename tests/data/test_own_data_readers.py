"""Folders and tables of one's own: names of any spelling become labels, and the form of the targets is found out."""

from pathlib import Path

import numpy as np
import pytest

from emolens.data.readers import read_dataset
from emolens.errors import DataError
from emolens.labels import LABEL_SETS
from layouts import jpeg, write, write_csv, write_folders, write_split_folders


def test_folders_may_have_any_name_of_an_emotion(tmp_path: Path) -> None:
    dataset = read_dataset("imagefolder", write_folders(tmp_path, ("Happiness", "SAD", "scared"), each=1))
    assert dataset.labels == LABEL_SETS["emotion6"]
    assert {dataset.labels[top] for top in dataset.targets.argmax(axis=1)} == {"happy", "sad", "fear"}


def test_labels_that_no_set_holds_together_are_taken_as_they_are(tmp_path: Path) -> None:
    dataset = read_dataset("imagefolder", write_folders(tmp_path, ("awe", "joy", "contempt"), each=1))
    assert dataset.labels == ("awe", "contempt", "happy")


def test_what_is_no_emotion_is_named_and_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    write_folders(tmp_path / "some", ("happy", "sadd"), each=2)
    dataset = read_dataset("imagefolder", tmp_path / "some")
    assert dataset.left_out == {"unknown_label": 2}
    assert "sadd/0.jpg: 'sadd' is no label of imagefolder; did you mean 'sad'?" in dataset.fault_report
    write_folders(tmp_path / "none", ("cats", "dogs"), each=1)
    with pytest.raises(DataError, match="none names no emotion; there are amusement"):
        read_dataset("imagefolder", tmp_path / "none")


def test_a_folder_beside_the_splits_is_a_fault(tmp_path: Path) -> None:
    write_split_folders(tmp_path)
    write(tmp_path / "extra/joy/0.jpg", jpeg(0))
    dataset = read_dataset("imagefolder", tmp_path)
    assert len(dataset) == 6
    assert "extra: stands beside test, train, val, but is no split" in dataset.fault_report


def test_the_draw_of_the_splits_hangs_on_the_seed(tmp_path: Path) -> None:
    path = write_folders(tmp_path)
    drawn = [
        [sample.name for sample in read_dataset("imagefolder", path, "test", seed=seed).samples] for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_probabilities_in_columns_are_a_distribution(tmp_path: Path) -> None:
    dataset = read_dataset("csv", write_csv(tmp_path, "path,Joy,Sadness", "0.jpg,0.25,0.7503", "1.jpg,0.2,0.3"))
    assert dataset.objective == "distribution"
    assert dataset.labels == ("happy", "sad")
    np.testing.assert_allclose(dataset.targets, [[0.25, 0.75]], atol=1e-3)
    assert "labels.csv:3: the probabilities sum to 0.5" in dataset.fault_report


def test_zeros_and_ones_of_which_not_always_one_holds_are_multilabel(tmp_path: Path) -> None:
    rows = ("file,joy,sad,awe", "0.jpg,1,1,0", "1.jpg,0,0,0", "2.jpg,0,1.0,0")
    dataset = read_dataset("csv", write_csv(tmp_path, *rows))
    assert dataset.objective == "multilabel"
    assert dataset.targets.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert not dataset.faults


def test_a_row_that_cannot_be_read_does_not_change_what_the_others_are(tmp_path: Path) -> None:
    dataset = read_dataset("csv", write_csv(tmp_path, "file,joy,sad", "0.jpg,1,1", "1.jpg,yes,1", "2.jpg,7,1"))
    assert dataset.objective == "multilabel"
    assert len(dataset) == 1
    assert dataset.left_out == {"bad_value": 2}


def test_zeros_and_ones_of_which_always_one_holds_are_hard_labels(tmp_path: Path) -> None:
    dataset = read_dataset("csv", write_csv(tmp_path, "file,joy,sad", "0.jpg,1,0", "1.jpg,0,1"))
    assert dataset.objective == "distribution"


def test_the_objective_is_that_of_the_whole_table_whatever_the_split(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "file,joy,sad,split", "0.jpg,1,0,train", "1.jpg,1,1,test")
    assert read_dataset("csv", path, "train").objective == "multilabel"


def test_a_column_of_labels_may_spell_them_anyhow_and_names_those_it_does_not_know(tmp_path: Path) -> None:
    rows = ("Filename,Class", "0.jpg,JOY", "1.jpg,Neutrality", "2.jpg,hapy", "3.jpg,3")
    dataset = read_dataset("csv", write_csv(tmp_path, *rows))
    assert dataset.labels == LABEL_SETS["fer7"]
    assert [dataset.labels[top] for top in dataset.targets.argmax(axis=1)] == ["happy", "neutral"]
    assert "labels.csv:4: 'hapy' is no label of csv; did you mean 'happy'?" in dataset.fault_report
    assert dataset.left_out == {"unknown_label": 2}


def test_a_row_without_a_split_is_a_fault_where_others_have_one(tmp_path: Path) -> None:
    dataset = read_dataset("csv", write_csv(tmp_path, "image,label,split", "0.jpg,joy,train", "1.jpg,joy,"))
    assert [sample.split for sample in dataset.samples] == ["train"]
    assert dataset.left_out == {"unknown_split": 1}


def test_beside_one_label_all_other_columns_are_metadata(tmp_path: Path) -> None:
    rows = ("image,label,split,Camera,age", "0.jpg,joy,a,webcam,31", "1.jpg,joy,a,,7")
    samples = read_dataset("csv", write_csv(tmp_path, *rows)).samples
    assert [sample.metadata for sample in samples] == [{"camera": "webcam", "age": "31"}, {"camera": "", "age": "7"}]


@pytest.mark.parametrize(("values", "objective"), [("0.5,0.5", "distribution"), ("1,1", "multilabel")])
def test_beside_columns_of_labels_metadata_says_that_it_is_none_of_them(
    values: str, objective: str, tmp_path: Path
) -> None:
    dataset = read_dataset("csv", write_csv(tmp_path, "image,joy,sad,meta_age", f"0.jpg,{values},1"))
    assert dataset.labels == ("happy", "sad")
    assert dataset.objective == objective
    assert dataset.samples[0].metadata == {"meta_age": "1"}


def test_the_folder_of_one_table_will_do(tmp_path: Path) -> None:
    table = write_csv(tmp_path, "image,label", "0.jpg,joy")
    assert len(read_dataset("csv", table.parent)) == 1
    write(tmp_path / "other.csv", "")
    with pytest.raises(DataError, match="holds 2 tables"):
        read_dataset("csv", table.parent)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("picture,label", "no column for the picture's path; name one of its columns 'image'"),
        ("image,joy,hapy", "the column 'hapy' is no label; did you mean 'happy'"),
        ("image,joy,sad,age", "the column 'age' is no label.*or call it 'meta_age' if it is metadata"),
        ("image,label,age,age", "has two columns 'age'"),
        ("image,joy,happy", "two and more columns of different labels"),
        ("image,joy", "two and more columns"),
        ("image", "needs a column 'label'"),
        ("image,label", "names no emotion"),
    ],
)
def test_a_table_without_labels_says_what_it_lacks(header: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_dataset("csv", write_csv(tmp_path, header))
