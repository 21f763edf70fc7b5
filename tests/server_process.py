"""A server in a process of its own, as tests and their sockets see it."""

import io
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import psutil
from PIL import Image

PATIENCE = 60


@dataclass
class Server:
    """A process that serves; everything that it writes to stderr is collected."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    port: int = 0

    def follow(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.lines.append(line)
                told = re.search(r"running on http://127\.0\.0\.1:(\d+)", line)
                self.port = int(told[1]) if told else self.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def metric(self, line: str) -> bool:
        return line in httpx2.get(f"{self.url}/metrics", timeout=PATIENCE).text

    def send(self, data: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(data)
        return connection

    def peak_bytes(self) -> int:
        """Of all its processes, each at its own peak."""
        told = [Path(f"/proc/{process}/status").read_text() for process in self.processes()]
        return 1024 * sum(int(number) for status in told for number in re.findall(r"VmHWM:\s+(\d+) kB", status))

    def processes(self) -> list[int]:
        """Its own number, and those of all below."""
        top = psutil.Process(self.process.pid)
        return [process.pid for process in (top, *top.children(recursive=True))]

    @contextmanager
    def reading_nothing(self) -> Iterator[None]:
        """Meanwhile the processes that read images are stopped, so that what has been accepted waits."""
        readers = [one for one in map(psutil.Process, self.processes()) if "look_process" in " ".join(one.cmdline())]
        assert readers
        for reader in readers:
            reader.suspend()
        try:
            yield
        finally:
            for reader in readers:
                with suppress(psutil.NoSuchProcess):
                    reader.resume()


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come to that"
        time.sleep(0.02)


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    connection.settimeout(PATIENCE)
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def slow_picture() -> bytes:
    """Takes some tenths of a second to decode."""
    file = io.BytesIO()
    shades = np.arange(3600 * 2700, dtype=np.uint32).reshape(2700, 3600)
    Image.fromarray(np.stack([shades % 256, shades // 7 % 256, shades // 999 % 256], 2).astype(np.uint8)).save(
        file, "PNG", compress_level=1
    )
    assert file.tell() < 8 * 2**20
    return file.getvalue()
