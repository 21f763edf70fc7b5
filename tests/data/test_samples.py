"""A dataset is projected, filtered and counted without a row vanishing in silence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.data.samples import NAMED, Dataset, Sample, check_split
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

FERPLUS = (*LABEL_SETS["ferplus8"], "unknown")


def dataset(*targets: dict[str, float], labels: tuple[str, ...] = FERPLUS) -> Dataset:
    rows = [np.array([target.get(label, 0) for label in labels], dtype=np.float32) for target in targets]
    return Dataset("test", labels, tuple(Sample(f"row {i}", b"", row, "Training") for i, row in enumerate(rows)))


def test_projecting_adds_contempt_and_unknown_up_under_other():
    projected = dataset({"happy": 0.5, "contempt": 0.3, "unknown": 0.2}).project(LABEL_SETS["social8"])
    target = dict(zip(projected.labels, projected.targets[0].tolist(), strict=True))
    assert target["other"] == pytest.approx(0.5)
    assert target["happy"] == pytest.approx(0.5)
    assert projected.left_out == {}


def test_projecting_leaves_out_and_counts_what_has_no_place():
    projected = dataset({"contempt": 1}, {"sad": 0.5, "unknown": 0.5}).project(LABEL_SETS["fer7"])
    assert [sample.name for sample in projected.samples] == ["row 1"]
    assert projected.targets[0].max() == 1
    assert projected.left_out == {"no_place_in_labels": 1}


def test_ties_are_left_out_and_counted():
    decided = dataset({"happy": 0.5, "sad": 0.5}, {"happy": 0.6, "sad": 0.4}).without_ties()
    assert [sample.name for sample in decided.samples] == ["row 1"]
    assert decided.left_out == {"tie": 1}


def test_counts_of_one_reason_add_up_and_the_original_keeps_its_own():
    first = dataset({"happy": 1}).leaving_out("tie", 2)
    assert first.leaving_out("tie", 3).left_out == {"tie": 5}
    assert first.left_out == {"tie": 2}
    assert first.leaving_out("leak", 0).left_out == {"tie": 2}


def test_what_is_at_fault_is_taken_out_counted_and_named() -> None:
    faulty = dataset({"happy": 1}, {"sad": 1}, {"fear": 1}).without("unreadable_image", {0: "a: cut", 2: "c: empty"})
    assert [sample.name for sample in faulty.samples] == ["row 1"]
    assert faulty.left_out == {"unreadable_image": 2}
    assert faulty.fault_report.splitlines() == [
        "test: left out for faults in the data: 2",
        "  unreadable image: 2",
        "    a: cut",
        "    c: empty",
    ]
    with pytest.raises(DataError, match="c: empty"):
        faulty.check_faultless()


def test_a_report_names_the_first_faults_of_a_reason_and_counts_the_others() -> None:
    many = dataset(*[{"happy": 1}] * 1500).without(
        "unreadable_image", {index: f"{index}: cut" for index in range(1200)}
    )
    lines = many.fault_report.splitlines()
    assert lines[0].endswith(": 1,200")
    assert len(lines) == 2 + NAMED + 1
    assert lines[-1] == f"    and {1200 - NAMED:,} more"


def test_what_is_left_out_by_rule_is_no_fault() -> None:
    clean = dataset({"happy": 0.5, "sad": 0.5}).without_ties().without("unreadable_image", {})
    assert clean.left_out == {"tie": 1}
    assert clean.fault_report == ""
    clean.check_faultless()


def test_projecting_a_multilabel_dataset_neither_renormalises_nor_leaves_out() -> None:
    both = dataset({"happy": 1, "contempt": 1, "unknown": 1}, {"fear": 0})
    projected = replace(both, objective="multilabel").project(("happy", "other", "awe"))
    assert projected.targets.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert projected.objective == "multilabel"
    assert projected.left_out == {}


def test_an_empty_dataset_keeps_its_width_through_every_step():
    empty = dataset()
    assert empty.targets.shape == (0, len(FERPLUS))
    assert len(empty.project(LABEL_SETS["social8"]).without_ties()) == 0


def test_a_split_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DataError, match="faces has no split 'test'; it has train, val"):
        check_split("faces", "test", ["val", "train"])


@given(arrays(np.int64, st.tuples(st.integers(1, 20), st.just(len(FERPLUS))), elements=st.integers(0, 10)))
def test_no_row_vanishes_in_silence(votes):
    rows = votes[votes.sum(axis=1) > 0].astype(np.float32)
    full = dataset(*(dict(zip(FERPLUS, (row / row.sum()).tolist(), strict=True)) for row in rows))
    for labels in (LABEL_SETS["social8"], LABEL_SETS["fer7"]):
        decided = full.project(labels).without_ties()
        assert len(decided) + sum(decided.left_out.values()) == len(full)
        np.testing.assert_allclose(decided.targets.sum(axis=1), 1, rtol=1e-5)
