"""Clients that keep a server busy, and what became of each of their requests."""

import http.client
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 60


@dataclass(frozen=True)
class Sent:
    """A request over a connection of its own.

    Attributes:
        port: of the client's side.
        status: of the answer; None if the connection ended without one.
        body: of the answer.
        begun: seconds of the monotonic clock.
        seconds: that it took.
    """

    port: int
    status: int | None
    body: bytes
    begun: float
    seconds: float


class Load:
    """Sends one image after the other from several clients, until the block ends or nobody listens any more."""

    def __init__(self, port: int, image: bytes, clients: int = 6) -> None:
        self.sent: list[Sent] = []
        self._port, self._image = port, image
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._send_all) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def answered(self) -> int:
        return sum(one.status is not None for one in self.sent)

    def _send_all(self) -> None:
        while not self._ends.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                continue
            self.sent.append(self._send(connection))
            connection.close()

    def _send(self, connection: http.client.HTTPConnection) -> Sent:
        port, begun = connection.sock.getsockname()[1], time.monotonic()
        status, body = None, b""
        try:
            connection.request("POST", "/predict", self._image, {"Content-Type": "image/png", "Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
            status = answer.status
        except (ConnectionError, http.client.HTTPException):
            pass  # a TimeoutError is none of these: to wait without an answer is not allowed to be one of them
        return Sent(port, status, body, begun, time.monotonic() - begun)


def ports_of_peers(process: int) -> set[int]:
    """The other ends' ports of all connections that a process of this machine has."""
    targets = (entry.readlink() for entry in Path(f"/proc/{process}/fd").iterdir())
    sockets = {target.name.removeprefix("socket:[").removesuffix("]") for target in targets}
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {int(row[2].rpartition(":")[2], 16) for row in rows if row[9] in sockets}
