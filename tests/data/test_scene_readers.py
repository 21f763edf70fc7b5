"""FI, EmoSet and Emotion6: photographs of scenes, some with what each voter said."""

import json
from pathlib import Path

import numpy as np
import pytest

from emolens.data.readers import read_dataset
from emolens.errors import DataError
from emolens.labels import LABEL_SETS
from layouts import (
    EMOTION6_HEADER,
    jpeg,
    lines,
    write,
    write_emoset,
    write_emotion6,
    write_fi_annotations,
    write_fi_votes,
    write_folders,
)  # fmt: skip

MIKELS = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")


def test_the_eight_folders_of_fi_are_the_eight_labels(tmp_path: Path) -> None:
    dataset = read_dataset("fi", write_folders(tmp_path, MIKELS, each=1))
    assert dataset.labels == LABEL_SETS["mikels8"]
    assert dataset.targets.argmax(axis=1).tolist() == [0, 4, 1, 2, 5, 3, 6, 7]  # the folders are sorted


def test_a_picture_under_two_emotions_is_a_placeholder_and_a_copy_within_one_is_not(tmp_path: Path) -> None:
    write_folders(tmp_path, ("awe", "fear", "sadness"), each=2)
    for name in ("awe/banned.jpg", "fear/gone.jpg", "fear/gone_2.jpg"):
        write(tmp_path / name, jpeg(99))
    write(tmp_path / "sadness/copy.jpg", (tmp_path / "sadness/0.jpg").read_bytes())
    dataset = read_dataset("fi", tmp_path)
    assert len(dataset) == 7
    assert dataset.left_out == {"placeholder": 3}


def test_a_folder_that_is_no_emotion_and_a_file_that_is_no_picture_are_counted(tmp_path: Path) -> None:
    write_folders(tmp_path, ("awe", "aww"), each=1)
    write(tmp_path / "awe/notes.txt", "")
    write(tmp_path / "awe/._0.jpg", "left there by a desktop")
    dataset = read_dataset("fi", tmp_path)
    assert dataset.left_out == {"not_an_image": 1, "unknown_label": 1}
    assert "aww/0.jpg: 'aww' is no label of fi; did you mean 'awe'?" in dataset.fault_report


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_fi_keeps_the_splits_of_its_annotations(suffix: str, tmp_path: Path) -> None:
    dataset = read_dataset("fi", write_fi_annotations(tmp_path, suffix))
    found = [(one.split, dataset.labels[int(one.target.argmax())]) for one in dataset.samples]
    assert found == [("train", "amusement"), ("val", "angry"), ("test", "contentment")]


def test_a_line_of_fi_without_an_emotion_is_a_fault(tmp_path: Path) -> None:
    write_fi_annotations(tmp_path)
    write(tmp_path / "annotations/val.txt", "1.jpg\n1.jpg anger\n")
    dataset = read_dataset("fi", tmp_path, "val")
    assert len(dataset) == 1
    assert "val.txt:1: has 1 field" in dataset.fault_report


@pytest.mark.parametrize("header", ["emotion,url,disagree,agree\n", ""])
def test_votes_give_soft_labels_and_weights(header: str, tmp_path: Path) -> None:
    write_fi_votes(tmp_path)
    rows = lines("awe,http://a.example/x/0.jpg,1,4", "sadness,http://a.example/1.jpg?zz=1,0,10")
    write(tmp_path / "votes.csv", header + rows)
    unsure, sure = read_dataset("fi", tmp_path).samples
    awe = LABEL_SETS["mikels8"].index("awe")
    assert unsure.target[awe] == pytest.approx(0.8)
    assert np.delete(unsure.target, awe) == pytest.approx(0.2 / 7)
    assert sure.target.max() == 1
    assert (unsure.weight, sure.weight) == (1, 2)


def test_what_most_voters_disagree_with_is_left_out(tmp_path: Path) -> None:
    write_fi_votes(tmp_path)
    rows = ("awe,x/0.jpg,3,2", "awe,x/1.jpg,2,2", "awe,x/2.jpg,0,0", "awe,x/3.jpg,-1,2", "awe,x/4.jpg,0,3")
    write(tmp_path / "votes.csv", lines("emotion,url,disagree,agree", *rows))
    dataset = read_dataset("fi", tmp_path)
    assert len(dataset) == 1
    assert dataset.left_out == {"mostly_disagree": 2, "bad_votes": 1, "bad_value": 1}
    assert set(dataset.faults) == {"bad_votes", "bad_value"}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (["joy", "a", "image/awe/awe_train.jpg", "a.json"], "unknown_label"),
        (["awe", "a", "image/awe/nowhere.jpg", "a.json"], "missing_file"),
        (["awe", "a"], "bad_row"),
        (["awe", "a", {"image": 1}, "a.json"], "bad_row"),
        ("awe", "bad_row"),
    ],
)
def test_an_entry_of_emoset_at_fault_is_named(entry: object, reason: str, tmp_path: Path) -> None:
    write_emoset(tmp_path)
    good = ["awe", "awe_train", "image/awe/awe_train.jpg", "annotation/awe/awe_train.json"]
    write(tmp_path / "train.json", json.dumps([entry, good]))
    dataset = read_dataset("emoset", tmp_path, "train")
    assert len(dataset) == 1
    assert dataset.left_out == {reason: 1}
    assert "train.json, entry 0: " in dataset.fault_report


@pytest.mark.parametrize("content", ["", "{}", "[" * 100_000, '["\ud83d', b"\xff"])
def test_a_list_of_emoset_that_is_none_is_refused(content: str | bytes, tmp_path: Path) -> None:
    write(tmp_path / "train.json", content if isinstance(content, bytes) else content.encode(errors="surrogatepass"))
    with pytest.raises(DataError, match=r"train\.json .*fetch it again"):
        read_dataset("emoset", tmp_path)


def test_a_list_of_emoset_is_not_read_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolens.data.readers.emoset.MAX_BYTES", 10)
    with pytest.raises(DataError, match="that is no list of EmoSet"):
        read_dataset("emoset", write_emoset(tmp_path))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("0.5\t0.4\t0\t0\t0\t0\t0", "not_a_distribution"),
        ("1.5\t-0.5\t0\t0\t0\t0\t0", "bad_value"),
        ("nan\t0\t0\t0\t0\t0\t1", "bad_value"),
        ("one\t0\t0\t0\t0\t0\t0", "bad_value"),
        ("1\t0", "bad_row"),
    ],
)
def test_a_row_of_emotion6_that_is_no_distribution_is_named(values: str, reason: str, tmp_path: Path) -> None:
    write_emotion6(tmp_path)
    rows = (f"joy/0.jpg\t5\t5\t{values}", "joy/1.jpg\t5\t5\t0\t0\t0\t1\t0\t0\t0")
    write(tmp_path / "ground_truth.txt", lines(EMOTION6_HEADER, *rows))
    dataset = read_dataset("emotion6", tmp_path)
    assert [sample.name for sample in dataset.samples] == ["joy/1.jpg"]
    assert dataset.left_out == {reason: 1}
    assert "ground_truth.txt:2: " in dataset.fault_report


def test_the_real_emotion6_is_read_whole_over_seven_labels_or_six(shared_data: Path, tmp_path: Path) -> None:
    table = (shared_data / "emotion6_ground_truth.txt").read_text()
    write(tmp_path / "ground_truth.txt", table)
    for line in table.splitlines()[1:]:
        write(tmp_path / "images" / line.partition("\t")[0], line)
    dataset = read_dataset("emotion6", tmp_path, strict=True)
    assert len(dataset) == 1980
    first = dict(zip(dataset.labels, dataset.samples[0].target.tolist(), strict=True))
    assert (first["disgust"], first["angry"]) == pytest.approx((0.7, 0.133333), abs=1e-5)
    six = dataset.project(LABEL_SETS["emotion6"])
    np.testing.assert_allclose(six.targets.sum(axis=1), 1, rtol=1e-5)
    assert len(six) == 1980 - six.left_out.get("no_place_in_labels", 0)
    shares = {split: len(read_dataset("emotion6", tmp_path, split)) / 1980 for split in ("train", "val", "test")}
    assert shares == pytest.approx({"train": 0.8, "val": 0.1, "test": 0.1}, abs=0.005)
