"""LookPool: the first step of a prediction, in processes of its own, one per core."""

import asyncio
import multiprocessing
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from emolens.classifier import Classifier, Framing
from emolens.detect.base import Detector
from emolens.errors import EmolensError, ImageError
from emolens.image import Limits
from emolens.look import Look, Looker
from emolens.predictor import open_classifier, open_detector

# No file of the client's has a name here: names stand in messages, and may be anything.
_NAME = "file"

# With so many faces, a call of the model gains nothing by those of other images.
_COMPANY = 8

# The first may be lost to the system, for want of memory.
_ATTEMPTS = 2

Seen = tuple[Look, NDArray[np.float32] | None]


@dataclass(frozen=True)
class Asked:
    """What a process has to know of a model.

    Attributes:
        framings: how it wants faces cut.
        for_faces: whether faces are searched, or the whole image is the crop.
        path: of its file.
        sha256: of the file.
    """

    framings: tuple[Framing, ...]
    for_faces: bool
    path: Path
    sha256: str


class LookPool:
    """Looks at images, in the order of their coming.

    In threads of one process the interpreter's lock costs a fifth of the throughput on two cores, and more on more; and
    a file that brings a decoder down would bring the server down.

    Args:
        count: of the processes.
        limits: what is refused before memory is spent on it.
    """

    def __init__(self, count: int, limits: Limits) -> None:
        self._limits = limits
        self._processes = {_Process(limits) for _ in range(count)}
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        # They wait for the processes' answers.
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="emolens-look")

    async def look(self, data: bytes, model: Asked) -> Seen:
        """Looks at one image; whoever is cancelled while waiting leaves the queue.

        Args:
            data: the image file.
            model: that the crops are for.

        Returns:
            The look, and the probabilities of its faces where these are so many that they need no company; the look has
            no crops then.

        Raises:
            ImageError: it cannot be read, or the processes die of it.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, data, model)

    def stop(self) -> None:
        """Ends the processes; what still waits is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        processes, self._processes = self._processes, set()
        for process in processes:
            process.kill()

    def _ask(self, data: bytes, model: Asked) -> Seen:
        process = self._idle.get()  # at once, since there are as many threads
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return process.ask(data, model)
                except (EOFError, OSError):
                    process = self._renewed(process)
        finally:
            self._idle.put(process)
        raise ImageError("damaged", "what reads it ends at once")

    def _renewed(self, dead: "_Process") -> "_Process":
        if dead not in self._processes:  # all have been ended
            raise asyncio.CancelledError
        self._processes.discard(dead)
        dead.kill()
        process = _Process(self._limits)
        self._processes.add(process)
        return process


class _Process:
    """A process that answers one image after the other; used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, limits), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, data: bytes, model: Asked) -> Seen:
        """Raises EOFError or OSError where the process is no more, and what it raised."""
        self._connection.send((data, model))
        answer: Seen | Exception = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _answer(connection: Connection, limits: Limits) -> None:
    """What the process does, until the server is no more."""
    # The server ends it when all that was accepted is answered, whomever else a signal was sent to.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    _detector()  # so that no client waits for it
    while True:
        try:
            data, model = connection.recv()
        except (EOFError, OSError):
            return
        answer: Seen | Exception
        try:
            answer = _look(data, model, limits)
        except Exception as error:  # noqa: BLE001 (it belongs to the request)
            answer = error if isinstance(error, EmolensError) else RuntimeError(f"{type(error).__name__}: {error}")
        try:
            connection.send(answer)
        except OSError:
            return


def _look(data: bytes, asked: Asked, limits: Limits) -> Seen:
    looker = Looker(asked.framings, _detector() if asked.for_faces else None, limits)
    look = looker.look(data, _NAME)
    model = _classifier(asked.path, asked.sha256) if len(look) >= _COMPANY else None
    if model is None:
        return look, None
    start = perf_counter()
    rows = model.classify(look.framed)
    milliseconds = {**look.milliseconds, "classify": 1e3 * (perf_counter() - start)}
    return replace(look, framed=looker.frame([]), milliseconds=milliseconds), rows


@cache
def _detector() -> Detector:
    return open_detector("detector", threads=1)


@lru_cache(maxsize=8)
def _classifier(path: Path, sha256: str) -> Classifier | None:
    """The model of a file; None if another has taken its place, which the server will hear of, too."""
    try:
        model = open_classifier(path, threads=1)
    except EmolensError:
        return None
    return model if model.about["sha256"] == sha256 else None
