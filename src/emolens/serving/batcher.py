"""Batcher: the faces of concurrent requests go through the model in one call."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emolens.look import Look

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class _Waiting:
    look: Look
    rows: "asyncio.Future[Rows]"


class Batcher:
    """Collects looks and classifies them together; belongs to one event loop.

    Args:
        classify: the model's step; runs in a thread of its own, one call at a time.
        faces: the most faces in a call; an image with more of them than that goes alone.
        wait: seconds that the first look waits for others, as long as others are on their way.
        observe: is told the number of faces of every call.
    """

    def __init__(
        self,
        classify: Callable[[Sequence[Look]], list[Rows]],
        faces: int,
        wait: float,
        observe: Callable[[int], object],
    ) -> None:
        self._classify, self._faces, self._wait, self._observe = classify, faces, wait, observe
        self._waiting: deque[_Waiting] = deque()
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="emolens-classify")
        self._task: asyncio.Task[None] | None = None
        self._expected = 0

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def expect(self) -> None:
        """Tells that a look is on its way; `arrived` takes it back."""
        self._expected += 1

    def arrived(self) -> None:
        """The look that was expected is here, or will not come."""
        self._expected -= 1
        self._changed.set()

    async def rows(self, look: Look) -> Rows:
        """The probabilities of its faces, `(N, L)`; whoever is cancelled while waiting leaves the queue.

        Raises:
            ModelError: the model fails.
        """
        waiting = _Waiting(look, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._changed.set()
        return await waiting.rows

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._gather()
            batch = self._take()
            if not batch:
                continue
            looks = [waiting.look for waiting in batch]
            self._observe(sum(map(len, looks)))
            try:
                found = await loop.run_in_executor(self._thread, self._classify, looks)
            except Exception as error:  # noqa: BLE001 (it belongs to those who wait, and the others go on)
                for waiting in batch:
                    if not waiting.rows.done():
                        waiting.rows.set_exception(error)
                continue
            for waiting, rows in zip(batch, found, strict=True):
                if not waiting.rows.done():
                    waiting.rows.set_result(rows)

    async def _gather(self) -> None:
        """Until there is something to do, and nothing that is worth waiting for."""
        while not self._waiting:
            await self._next_change()
        try:
            async with asyncio.timeout(self._wait):
                while self._expected > 0 and sum(len(waiting.look) for waiting in self._waiting) < self._faces:
                    await self._next_change()
        except TimeoutError:
            pass

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        faces = 0
        while self._waiting:
            first = self._waiting[0]
            if first.rows.done():  # cancelled
                self._waiting.popleft()
                continue
            if batch and faces + len(first.look) > self._faces:
                break
            batch.append(self._waiting.popleft())
            faces += len(first.look)
        return batch
