"""Predictions are read back as they were, whatever samples are called, and what is no such file is refused by line."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.evaluation import predictions as module
from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.predictions import Predictions

LABELS = ("happy", "sad")
GOOD = (
    "name,split,answered,target:happy,target:sad,probability:happy,probability:sad\r\na,test,true,1.0,0.0,0.7,0.3\r\n"
)

odd_names = st.text(max_size=12) | st.sampled_from(
    ["=1+1", "'=1", "'", "+a", "-", "@x", "\tx", "\rx", 'a,"b"', "two\nlines", "two\r\nlines", "", " padded ", "\x00"]
)


def predictions(rows: int, names: tuple[str, ...] | None = None, labels: tuple[str, ...] = LABELS) -> Predictions:
    rng = np.random.default_rng(rows)
    targets, probabilities = (rng.dirichlet(np.ones(len(labels)), rows).astype(np.float32) for _ in range(2))
    names = names or tuple(f"row {row}" for row in range(rows))
    return Predictions(names, ("test",) * rows, labels, targets, probabilities, rng.random(rows) < 0.8)


def assert_same(found: Predictions, wanted: Predictions) -> None:
    assert (found.names, found.splits, found.labels) == (wanted.names, wanted.splits, wanted.labels)
    for name in ("targets", "probabilities", "answered"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), strict=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(odd_names, odd_names), min_size=1, max_size=6), st.lists(odd_names, min_size=1, unique=True))
def test_samples_splits_and_labels_may_be_called_anything(tmp_path, samples, labels):
    names, splits = zip(*samples, strict=True)
    numbers = np.full((len(names), len(labels)), 1 / 3, np.float32)
    wanted = Predictions(names, splits, tuple(labels), numbers, numbers, np.ones(len(names), np.bool_))
    wanted.save(tmp_path / "p.csv")
    assert_same(Predictions.read(tmp_path / "p.csv"), wanted)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4))
def test_numbers_come_back_to_the_bit(tmp_path, numbers):
    table = np.array(numbers, np.float32).reshape(2, 1, 2)
    wanted = Predictions(("a",), ("test",), LABELS, table[0], table[1], np.array([True]))
    wanted.save(tmp_path / "p.csv")
    assert_same(Predictions.read(tmp_path / "p.csv"), wanted)


def test_the_figures_of_what_is_read_are_those_of_what_was_written(tmp_path):
    wanted = predictions(200)
    wanted.save(tmp_path / "p.csv")
    found = Predictions.read(tmp_path / "p.csv")
    measured = (compute_metrics(one.probabilities, one.targets, LABELS, one.answered) for one in (wanted, found))
    assert next(measured) == next(measured)


def test_the_file_is_plain_csv_with_a_column_for_each_target_and_probability(tmp_path):
    targets, answers = np.array([[0.6, 0.4]], np.float32), np.array([[0.1, 0.9]], np.float32)
    Predictions(("a, b",), ("test",), LABELS, targets, answers, np.array([True])).save(tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "name": "a, b",
        "split": "test",
        "answered": "true",
        "target:happy": "0.6",
        "target:sad": "0.4",
        "probability:happy": "0.1",
        "probability:sad": "0.9",
    }


def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(tmp_path):
    predictions(1, names=("=HYPERLINK(1)",)).save(tmp_path / "p.csv")
    assert "\n'=HYPERLINK(1)," in (tmp_path / "p.csv").read_text()


def test_a_name_that_is_no_text_is_escaped(tmp_path):
    predictions(1, names=("photo\udcff.jpg",)).save(tmp_path / "p.csv")
    assert Predictions.read(tmp_path / "p.csv").names == ("photo\\udcff.jpg",)


def test_predictions_are_made_of_a_datasets_samples_in_their_order():
    samples = tuple(
        Sample(name, b"", np.array(target, np.float32), split)
        for name, target, split in (("b", [1, 0], "train"), ("a", [0, 1], "test"))
    )
    answers = np.array([[0.2, 0.8], [0.3, 0.7]], np.float32)
    made = Predictions.of(Dataset("faces", LABELS, samples), answers, np.array([True, False]))
    assert (made.names, made.splits, made.labels) == (("b", "a"), ("train", "test"), LABELS)
    np.testing.assert_array_equal(made.targets, np.eye(2))
    np.testing.assert_array_equal(made.probabilities, answers)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name,", "nom,", ":1: the columns are not name, split"),
        (",probability:sad", "", ":1: the columns are not"),
        ("probability:happy,probability:sad", "probability:sad,probability:happy", ":1: the columns are not"),
        ("sad", "happy", ":1: the columns are not"),
        (",0.3", "", ":2: there are 6 columns instead of 7"),
        ("a,test", "a,b,test", ":2: there are 8 columns instead of 7"),
        ("0.7", "much", ":2: 'much' is no number from 0 to 1"),
        ("0.7", "nan", ":2: 'nan' is no number"),
        ("0.7", "1e300", ":2: '1e300' is no number"),
        ("0.7", "-0.7", ":2: '-0.7' is no number"),
        ("true", "maybe", ":2: answered is 'maybe'"),
        ("a,test", '"a,test', ":2: unexpected end of data"),
        ("a,test", "a" * 200_000 + ",test", ":2: field larger than field limit"),
        (GOOD, "", ":1: the columns are not"),
    ],
)
def test_a_fault_is_named_with_its_line_and_the_remedy(tmp_path, old, new, said):
    path = tmp_path / "p.csv"
    path.write_bytes(GOOD.replace(old, new).encode())
    with pytest.raises(DataError, match=r"emolens evaluate") as refused:
        Predictions.read(path)
    assert f"{path}{said}" in str(refused.value)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "p.csv").write_bytes(GOOD.encode() + b"\xff,test,true,1,0,1,0\r\n")
    with pytest.raises(DataError, match="is not UTF-8"):
        Predictions.read(tmp_path / "p.csv")


def test_a_missing_file_is_refused_with_what_writes_it(tmp_path):
    for path in (tmp_path / "p.csv", tmp_path):
        with pytest.raises(DataError, match=r"is missing; run `emolens evaluate \.\.\. --out"):
            Predictions.read(path)


def test_more_than_memory_would_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.csv"
    predictions(3).save(path)
    monkeypatch.setattr(module, "_MOST_ROWS", 2)
    with pytest.raises(DataError, match=r":4: there are more than 2 samples"):
        Predictions.read(path)
    monkeypatch.setattr(module, "_MOST_BYTES", 50)
    with pytest.raises(DataError, match="of up to 50 bytes are read"):
        Predictions.read(path)
