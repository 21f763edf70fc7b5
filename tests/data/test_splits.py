"""Splits that are drawn."""

import numpy as np

from emolens.data.samples import Dataset, Sample
from emolens.data.splits import hold_out


def dataset(count: int) -> Dataset:
    target = np.ones(1, dtype=np.float32)
    samples = tuple(Sample(str(index), str(index % (count // 2)).encode(), target, "all") for index in range(count))
    return Dataset("made", ("face",), samples)


def test_the_share_is_about_what_was_asked_and_nothing_is_lost() -> None:
    rest, held_out = hold_out(dataset(2000), 0.2, seed=0)
    assert 300 < len(held_out) < 500
    assert {sample.name for sample in (*rest.samples, *held_out.samples)} == {str(index) for index in range(2000)}


def test_copies_of_an_image_stay_on_one_side() -> None:
    rest, held_out = hold_out(dataset(2000), 0.2, seed=0)
    assert not {sample.image for sample in rest.samples} & {sample.image for sample in held_out.samples}


def test_the_draw_depends_on_the_seed_alone() -> None:
    names = [[sample.name for sample in hold_out(dataset(200), 0.2, seed)[1].samples] for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]
