"""The order of a training: every sample once an epoch, the same for the same seed, and to be taken up anywhere."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.training.order import Draw, Order


def draws(order: Order, batches_done: int = 0) -> list[list[Draw]]:
    order.batches_done = lambda: batches_done
    return list(order)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch):
    def become(rank: int, count: int) -> None:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(count))

    return become


@given(samples=st.integers(1, 50), batch_size=st.integers(1, 60), seed=st.integers(0, 9))
def test_an_epoch_shows_every_sample_at_most_once_and_leaves_out_less_than_a_batch(
    samples: int, batch_size: int, seed: int
) -> None:
    order = Order(samples, batch_size, seed)
    epoch = draws(order)
    shown = [draw.sample for batch in epoch for draw in batch]
    assert len(epoch) == len(order) > 0
    assert len(shown) == len(set(shown)) > samples - batch_size
    assert set(shown) <= set(range(samples))


def test_the_seed_decides_order_and_what_happens_to_each_sample_and_epochs_differ() -> None:
    first, second = draws(Order(20, 4, seed=1)), draws(Order(20, 4, seed=1), batches_done=5)
    assert first == draws(Order(20, 4, seed=1))
    assert first != second
    assert {draw.seed for batch in first for draw in batch}.isdisjoint(draw.seed for batch in second for draw in batch)
    assert first != draws(Order(20, 4, seed=2))


@given(done=st.integers(0, 23))
def test_it_goes_on_in_the_middle_of_any_epoch_with_what_would_have_come(done: int) -> None:
    order = Order(32, 4, seed=3)  # eight batches an epoch
    whole = draws(order, batches_done=done // 8 * 8)
    assert draws(order, batches_done=done) == whole[done % 8 :]
    assert len(order) == 8


def test_weights_say_how_often_a_sample_is_drawn() -> None:
    order = Order(1000, 10, seed=0, weights=np.repeat([9.0, 1.0], 500))
    shown = Counter(draw.sample < 500 for batch in draws(order) for draw in batch)
    assert 850 < shown[True] < 950


def test_a_sample_that_is_drawn_twice_is_shown_in_two_ways() -> None:
    (batch,) = draws(Order(8, 8, seed=0, weights=np.eye(8)[0] + 1e-9))
    assert [draw.sample for draw in batch] == [0] * 8
    assert len({draw.seed for draw in batch}) == 8


def test_several_processes_share_out_the_batches_of_one_with_the_joint_batch(processes) -> None:
    alone = draws(Order(50, 12, seed=4))
    shares = []
    for rank in range(3):
        processes(rank, 3)
        shares.append(draws(Order(50, 4, seed=4)))
    for together, *parts in zip(alone, *shares, strict=True):
        assert [len(part) for part in parts] == [4, 4, 4]
        assert sorted(together) == sorted(draw for part in parts for draw in part)
