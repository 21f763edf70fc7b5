"""Batcher: who shares a call of the model, who waits, and who leaves."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest

from emolens.predictor import Look
from emolens.serving.batcher import Batcher, Rows


def look(name: str, faces: int = 1) -> Look:
    framed = (np.zeros((faces, 4, 4, 1), np.uint8),)
    return Look(name, 4, 4, np.zeros((faces, 4), np.float32), np.ones(faces, np.float32), framed, {})


class Model:
    """Notes which looks it got together; may be held up."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, looks: Sequence[Look]) -> list[Rows]:
        self.calls.append([one.name for one in looks])
        self.free.wait(10)
        if any(one.name == "bad" for one in looks):
            raise ValueError("bad")
        return [np.full((len(one), 2), len(one), np.float32) for one in looks]


def run(model: Model, scene: Callable[[Batcher], Awaitable[None]], faces: int = 8, wait: float = 0.0) -> None:
    async def play() -> None:
        batcher = Batcher(model, faces, wait, lambda _: None)
        batcher.start()
        try:
            await asyncio.wait_for(scene(batcher), 10)
        finally:
            model.free.set()
            await batcher.stop()

    asyncio.run(play())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_who_comes_while_the_model_is_busy_shares_the_next_call() -> None:
    model = Model()
    model.free.clear()

    async def scene(batcher: Batcher) -> None:
        first = asyncio.ensure_future(batcher.rows(look("first")))
        await until(lambda: len(model.calls) == 1)
        others = [asyncio.ensure_future(batcher.rows(look(f"{faces}", faces))) for faces in (1, 2, 3)]
        await asyncio.sleep(0)
        model.free.set()
        rows = await asyncio.gather(first, *others)
        assert [len(one) for one in rows] == [1, 1, 2, 3]
        assert [one[0, 0] for one in rows] == [1, 1, 2, 3]

    run(model, scene)
    assert model.calls == [["first"], ["1", "2", "3"]]


def test_a_call_has_no_more_faces_than_it_may_except_for_those_of_one_image() -> None:
    model = Model()
    model.free.clear()

    async def scene(batcher: Batcher) -> None:
        works = [asyncio.ensure_future(batcher.rows(look("first")))]
        await until(lambda: len(model.calls) == 1)
        works += [asyncio.ensure_future(batcher.rows(look(f"{faces}", faces))) for faces in (3, 5, 1, 20)]
        await asyncio.sleep(0)
        model.free.set()
        await asyncio.gather(*works)

    run(model, scene, faces=8)
    assert model.calls == [["first"], ["3", "5"], ["1"], ["20"]]


def test_a_look_waits_for_those_on_their_way_but_not_forever() -> None:
    model = Model()

    async def scene(batcher: Batcher) -> None:
        batcher.expect()
        first = asyncio.ensure_future(batcher.rows(look("first")))
        await asyncio.sleep(0.02)
        assert model.calls == []
        second = asyncio.ensure_future(batcher.rows(look("second")))
        await asyncio.sleep(0)
        batcher.arrived()
        await asyncio.gather(first, second)
        batcher.expect()  # and never arrives
        await batcher.rows(look("third"))

    run(model, scene, wait=0.2)
    assert model.calls == [["first", "second"], ["third"]]


def test_nobody_waits_where_nobody_is_on_the_way() -> None:
    async def scene(batcher: Batcher) -> None:
        await batcher.rows(look("alone"))

    run(Model(), scene, wait=60)


def test_who_is_cancelled_leaves_the_queue() -> None:
    model = Model()
    model.free.clear()

    async def scene(batcher: Batcher) -> None:
        first = asyncio.ensure_future(batcher.rows(look("first")))
        await until(lambda: len(model.calls) == 1)
        gone, stays = (asyncio.ensure_future(batcher.rows(look(name))) for name in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        model.free.set()
        await stays

    run(model, scene)
    assert model.calls == [["first"], ["stays"]]


def test_a_failing_call_fails_for_those_in_it_alone() -> None:
    async def scene(batcher: Batcher) -> None:
        with pytest.raises(ValueError, match="bad"):
            await batcher.rows(look("bad"))
        assert len(await batcher.rows(look("good"))) == 1

    run(Model(), scene)
