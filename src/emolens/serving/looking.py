"""LookPool: the first step of a prediction, in processes of its own, one per core."""

import asyncio
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from threading import Lock

from emolens.errors import ImageError
from emolens.image import Limits
from emolens.serving.look_process import Asked, Seen, question, seen
from emolens.serving.messages import hear, say

# The first may be lost to the system, for want of memory.
_ATTEMPTS = 2

# What comes of a connection whose other end is no more, or that was closed here meanwhile.
_DEAD = (EOFError, OSError, ValueError)

# glibc gives what an image needed back to the system and asks for it again for the next one, which costs a tenth of the
# processor time of a photograph. What is kept so is little beside what one image at the limit takes.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20)}

# Not `multiprocessing`, which runs the program of whoever calls once more in every process. Signals are for the server:
# it ends them when all that was accepted is answered, whomever else one was sent to.
_PROGRAM = """
import signal, sys
for name in (signal.SIGINT, signal.SIGTERM):
    signal.signal(name, signal.SIG_IGN)
sys.path[:] = sys.argv[1:]
from emolens.serving.look_process import main
main()
"""


class LookPool:
    """Looks at images, in the order of their coming.

    In threads of one process the interpreter's lock costs a fifth of the throughput on two cores, and more on more; and
    a file that brings a decoder down would bring the server down.

    Args:
        count: of the processes.
        limits: what is refused before memory is spent on it.
        seconds: that a process has for an image; one that takes longer is taken to hang, and is ended.
    """

    def __init__(self, count: int, limits: Limits, seconds: float) -> None:
        self._limits, self._seconds = limits, seconds
        self._renewing = Lock()
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
            ImageError: it cannot be read, or the processes die of it or hang.
            RuntimeError: the processes do not start.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, data, model)

    def stop(self) -> None:
        """Ends the processes; what still waits is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._renewing:
            processes, self._processes = self._processes, set()
        for process in processes:
            process.kill()

    def _ask(self, data: bytes, model: Asked) -> Seen:
        process = self._idle.get()  # at once, since there are as many threads
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return process.ask(data, model, self._seconds)
                except _DEAD:
                    started = process.started
                    process = self._renewed(process)
        finally:
            self._idle.put(process)
        if not started:
            raise RuntimeError("the processes that read images do not start; what they say stands in the log")
        raise ImageError("damaged", "what reads it ends at once")

    def _renewed(self, dead: "_Process") -> "_Process":
        dead.kill()
        with self._renewing:
            if dead not in self._processes:  # all have been ended
                raise asyncio.CancelledError
            process = _Process(self._limits)  # where the system has no room for it, the next image finds the dead one
            self._processes.remove(dead)
            self._processes.add(process)
        return process


class _Process:
    """A process that answers one image after the other; used by one thread at a time.

    Attributes:
        started: whether it has come so far as to answer.
    """

    def __init__(self, limits: Limits) -> None:
        self.started = False
        command = [sys.executable, "-P", "-c", _PROGRAM, *sys.path]
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                # In a group of its own, so that Ctrl-C does not reach it before it has come so far as to ignore it.
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    env={**_MEMORY, **os.environ},
                    process_group=0,
                )
        except OSError:  # the system has no room for it
            self._socket.close()
            raise
        self._questions, self._answers = self._socket.makefile("wb"), self._socket.makefile("rb")
        with suppress(OSError):  # it has ended already, which whoever asks will find
            say(self._questions, asdict(limits))

    def ask(self, data: bytes, model: Asked, seconds: float) -> Seen:
        """Raises one of `_DEAD` where the process is no more, or says nothing for so long; and what it raised."""
        self._socket.settimeout(seconds)
        if not self.started:
            hear(self._answers)
            self.started = True
        words, arrays = question(data, model)
        say(self._questions, words, *arrays)
        return seen(hear(self._answers))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for end in (self._questions, self._answers, self._socket):
            with suppress(OSError):  # what is still to be sent goes nowhere
                end.close()
