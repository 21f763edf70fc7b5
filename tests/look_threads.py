"""What stands for the server's processes where a test has a detector of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from emolens.detect.base import Detector
from emolens.image import Limits
from emolens.look import Looker
from emolens.serving.look_process import Asked, Seen


class LookThreads:
    """As `LookPool`, in threads of the test's process."""

    def __init__(self, detector: Detector, count: int, limits: Limits) -> None:
        self._detector, self._limits = detector, limits
        self._pool = ThreadPoolExecutor(count)

    async def look(self, data: bytes, model: Asked) -> Seen:
        looker = Looker(model.framings, self._detector if model.for_faces else None, self._limits)
        look = await asyncio.get_running_loop().run_in_executor(self._pool, looker.look, data, "file")
        return look, None

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def look_threads(detector: Detector) -> Callable[[int, Limits, float], LookThreads]:
    """To be called as `LookPool` is."""
    return lambda count, limits, _: LookThreads(detector, count, limits)
