"""How much is let in: images that wait, bytes of uploads, streams; beyond it the answer is 503 at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from emolens.serving.errors import overloaded
from emolens.serving.metrics import Metrics


class Gate:
    """Counts what is in the process; used from its event loop alone.

    Args:
        queue: the most images accepted and not yet answered.
        memory: the most bytes of uploads at once.
        streams: the most of them at once.
        metrics: are told of all three.
    """

    def __init__(self, queue: int, memory: int, streams: int, metrics: Metrics) -> None:
        self.queue, self.memory, self.streams, self.metrics = queue, memory, streams, metrics
        self._waiting = self._held = self._streaming = 0

    def check(self) -> None:
        """Raises RequestError, 503, where no other image would be let in now; to be asked before an upload is read."""
        self._check_room(1)

    @contextmanager
    def admitted(self, images: int) -> Iterator[None]:
        """While these images are worked on.

        Raises:
            RequestError: 503, there are too many already.
        """
        self._check_room(images)
        self._count(images)
        try:
            yield
        finally:
            self._count(-images)

    @contextmanager
    def holding(self) -> Iterator["Held"]:
        """While a request's body is in memory."""
        held = Held(self)
        try:
            yield held
        finally:
            self.hold(-held.bytes)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """While a stream is open.

        Raises:
            RequestError: 503, there are too many already.
        """
        if self._streaming >= self.streams:
            raise overloaded("too_many_streams", "as many streams as the server takes at once are open")
        self._count_streams(1)
        try:
            yield
        finally:
            self._count_streams(-1)

    def hold(self, count: int) -> None:
        """Raises RequestError, 503, where so many bytes more are too many."""
        if count > 0 and self._held + count > self.memory:
            raise overloaded("overloaded", "the server holds as many uploads as it can")
        self._held += count
        self.metrics.held.set(self._held)

    def _check_room(self, images: int) -> None:
        if self._waiting + images > self.queue:
            raise overloaded("overloaded", "as many images as the server takes at once wait already")

    def _count(self, images: int) -> None:
        self._waiting += images
        self.metrics.waiting.set(self._waiting)

    def _count_streams(self, count: int) -> None:
        self._streaming += count
        self.metrics.streams.set(self._streaming)


class Held:
    """The bytes of one request."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.bytes = 0

    def add(self, count: int) -> None:
        self._gate.hold(count)
        self.bytes += count
