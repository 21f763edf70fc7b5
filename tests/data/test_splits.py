"""Splits that are drawn."""

from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from emolens.data.samples import Dataset, Sample
from emolens.data.splits import SHARES, SplitBy, draw_splits, fingerprint, hold_out


def dataset(count: int) -> Dataset:
    target = np.ones(1, dtype=np.float32)
    samples = tuple(Sample(str(index), str(index % (count // 2)).encode(), target, "all") for index in range(count))
    return Dataset("made", ("face",), samples)


@pytest.mark.parametrize("by", get_args(SplitBy))
def test_the_share_is_about_what_was_asked_and_nothing_is_lost(by: SplitBy) -> None:
    rest, held_out = hold_out(dataset(2000), 0.2, 0, by)
    assert 300 < len(held_out) < 500
    assert {sample.name for sample in (*rest.samples, *held_out.samples)} == {str(index) for index in range(2000)}


def test_copies_of_an_image_stay_on_one_side() -> None:
    rest, held_out = hold_out(dataset(2000), 0.2, seed=0)
    assert not {sample.image for sample in rest.samples} & {sample.image for sample in held_out.samples}


def test_copies_fall_anywhere_where_rows_are_drawn() -> None:
    rest, held_out = hold_out(dataset(2000), 0.2, 0, "row")
    both = {sample.image for sample in rest.samples} & {sample.image for sample in held_out.samples}
    assert 250 < len(both) < 390  # of a thousand pairs 32 % are parted


@pytest.mark.parametrize("by", get_args(SplitBy))
def test_the_draw_depends_on_the_seed_alone(by: SplitBy) -> None:
    names = [[sample.name for sample in hold_out(dataset(200), 0.2, seed, by)[1].samples] for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]


def labelled(*counts: int) -> Dataset:
    """So many samples of each label, all of their images different."""
    targets = np.eye(len(counts), dtype=np.float32)
    samples = tuple(
        Sample(f"{label} {index}", f"{label} {index}".encode(), targets[label], "")
        for label, count in enumerate(counts)
        for index in range(count)
    )
    return Dataset("made", tuple(f"label {label}" for label in range(len(counts))), samples)


@pytest.mark.parametrize("counts", [(100, 20, 10), (1000, 50)])
def test_each_label_is_drawn_in_the_shares_of_the_splits(counts: tuple[int, ...]) -> None:
    drawn = draw_splits(labelled(*counts), seed=0)
    found = Counter((int(sample.target.argmax()), sample.split) for sample in drawn.samples)
    assert found == {
        (label, split): count * share for label, count in enumerate(counts) for split, share in SHARES.items()
    }


def test_copies_are_drawn_into_one_split_though_their_labels_differ() -> None:
    for seed in range(20):
        twice = labelled(5, 5)
        copies = tuple(Sample(f"copy of {one.name}", one.image, one.target[::-1], "") for one in twice.samples)
        drawn = draw_splits(Dataset("made", twice.labels, (*twice.samples, *copies)), seed)
        first, second = drawn.samples[:10], drawn.samples[10:]
        assert [one.split for one in first] == [one.split for one in second]


def test_the_draw_of_splits_depends_on_the_seed_and_on_the_images_but_not_on_their_order() -> None:
    splits = [{one.name: one.split for one in draw_splits(labelled(50), seed).samples} for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]
    dataset = labelled(50)
    turned = draw_splits(Dataset("made", dataset.labels, dataset.samples[::-1]), 0)
    assert {one.name: one.split for one in turned.samples} == splits[0]


def test_a_file_and_its_bytes_have_one_fingerprint_and_a_lost_file_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"content")
    assert fingerprint(tmp_path / "a.jpg") == fingerprint(b"content") != fingerprint(b"other")
    assert fingerprint(tmp_path / "lost.jpg") != fingerprint(tmp_path / "lost too.jpg")
