"""Servers in processes of their own, what they cost, and the load on them; shared by the benchmarks of serving."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

HERE = Path(__file__).parent
START_SECONDS = 60

Answers = dict[int, list[tuple[float, float]]]
"""Per status (0: none came), when each request was sent and how many seconds its answer took."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    process: "subprocess.Popen[str]"
    port: int

    def cpu_seconds(self) -> float:
        """Of its processes, so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def mib(self, most: bool = False) -> float:
        """Resident memory of its processes, now or at most."""
        wanted = "VmHWM:" if most else "VmRSS:"
        kib = 0
        for process in self._processes():
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            kib += sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
        return kib / 1024

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=START_SECONDS) as answer:
            content: bytes = answer.read()
            return content

    def _processes(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]


@contextmanager
def running(command: Sequence[str], stderr: IO[str] | int = subprocess.DEVNULL) -> Iterator[Server]:
    """The server of a command, in which PORT stands for a free port, from its first answer on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [part.replace("PORT", str(port)) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])},
        start_new_session=True,
    )
    server = Server(process, port)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it has left behind


def load(server: Server, photos: Path, kind: str, seconds: float, **options: float) -> Answers:
    """Puts a load on it, see `load.py`."""
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, str(HERE / "load.py"), kind, str(server.port), str(photos), "--seconds", str(seconds)]
    ended = subprocess.run([*command, *given], capture_output=True, text=True, check=True)
    return {int(status): [tuple(one) for one in found] for status, found in json.loads(ended.stdout).items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are at or under; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _wait(server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < end:
        try:
            server.get("/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{' '.join(map(str, server.process.args))} does not answer")  # type: ignore[union-attr]
