"""Balance makes rare labels count as much as frequent ones, each way in its own manner."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.data.balance import class_weights, presence_weights, resampled, sampling_weights
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError


def dataset(*counts: int) -> Dataset:
    labels = tuple("abcdefgh"[: len(counts)])
    targets = np.repeat(np.eye(len(counts), dtype=np.float32), counts, axis=0)
    return Dataset("made", labels, tuple(Sample(str(i), b"", target, "train") for i, target in enumerate(targets)))


def counts(balanced: Dataset) -> list[int]:
    return balanced.targets.sum(axis=0).astype(int).tolist()


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 3))
def test_down_and_over_give_every_label_as_many_samples(sizes: list[int], seed: int) -> None:
    made = dataset(*sizes)
    assert counts(resampled(made, "down", seed)) == [min(sizes)] * len(sizes)
    assert counts(resampled(made, "over", seed)) == [max(sizes)] * len(sizes)
    assert {sample.name for sample in resampled(made, "over", seed).samples} == {one.name for one in made.samples}


def test_down_repeats_nothing_and_the_seed_decides() -> None:
    made = dataset(3, 20)
    names = [[sample.name for sample in resampled(made, "down", seed).samples] for seed in (0, 0, 1)]
    assert len(set(names[0])) == 6
    assert names[0] == names[1] != names[2]


def test_a_label_without_samples_is_left_without() -> None:
    assert counts(resampled(dataset(4, 0, 2), "down", 0)) == [2, 0, 2]


@pytest.mark.parametrize("balance", ["none", "sampler", "class_weights"])
def test_the_other_ways_leave_the_samples_alone(balance: str) -> None:
    made = dataset(3, 5)
    assert resampled(made, balance, 0) is made  # type: ignore[arg-type]


def test_samples_of_several_labels_cannot_be_drawn_by_one() -> None:
    several = Dataset(
        "made", ("a", "b"), (Sample("0", b"", np.ones(2, dtype=np.float32), "train"),), objective="multilabel"
    )
    with pytest.raises(DataError, match="needs one label per sample"):
        resampled(several, "down", 0)


def test_the_sampler_draws_every_label_as_often() -> None:
    targets = dataset(2, 8).targets
    weights = sampling_weights(targets)
    assert np.allclose(targets.T @ weights / weights.sum(), 0.5)


def test_samples_with_no_label_at_all_are_drawn_too() -> None:
    weights = sampling_weights(np.array([[1, 0], [0, 0], [0, 0]], dtype=np.float32))
    assert np.allclose(weights, [1, 0.5, 0.5])


def test_class_weights_are_inverse_frequencies_and_one_on_average_over_samples() -> None:
    targets = dataset(2, 8, 0).targets
    weights = class_weights(targets)
    assert np.allclose(weights, [2.5, 0.625, 1])
    assert np.isclose((targets @ weights).mean(), 1)


def test_presence_weighs_as_absent_over_present() -> None:
    targets = np.array([[1, 0], [0, 0], [0, 0], [1, 1]], dtype=np.float32)
    assert np.allclose(presence_weights(targets), [1, 3])
