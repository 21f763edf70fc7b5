"""Where the frames of a stream wait: there is room for one, and the newest has it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emolens.serving.errors import RequestError
from emolens.serving.gate import Held


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        number: counts the frames that came, from 1.
        content: the image file, or why it has not been kept.
    """

    number: int
    content: bytes | RequestError


class Newest:
    """A frame that comes while another waits takes its place; belongs to one event loop.

    Args:
        held: counts the bytes.

    Attributes:
        received: frames, so far.
        dropped: those of them whose place another took.
    """

    def __init__(self, held: Held) -> None:
        self.received = self.dropped = 0
        self._held = held
        self._waiting: Frame | None = None
        self._came = asyncio.Event()

    def offer(self, data: bytes) -> None:
        """A frame has come."""
        self.received += 1
        if self._waiting is not None:
            self._let_go(self._waiting)
            self.dropped += 1
        try:
            self._held.add(len(data))
        except RequestError as error:
            self._waiting = Frame(self.received, error)
        else:
            self._waiting = Frame(self.received, data)
        self._came.set()

    async def arrival(self) -> None:
        """Until a frame waits."""
        await self._came.wait()

    @contextmanager
    def taken(self) -> Iterator[Frame]:
        """The frame that waits, while it is worked on; to be called after `arrival`."""
        assert self._waiting is not None
        frame, self._waiting = self._waiting, None
        self._came.clear()
        try:
            yield frame
        finally:
            self._let_go(frame)

    def _let_go(self, frame: Frame) -> None:
        if isinstance(frame.content, bytes):
            self._held.add(-len(frame.content))
