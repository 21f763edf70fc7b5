"""The load that benchmarks put on a server, from a process of its own; prints what came back, as JSON.

    python benchmarks/load.py closed PORT FOLDER --clients 64 --seconds 10
    python benchmarks/load.py open PORT FOLDER --rate 100 --seconds 300

`closed`: so many clients, each of which sends its next photograph when the last is answered. `open`: photographs come
at their rate, whatever becomes of the others, as they do from many people. Photographs are the JPEG files of the
folder, sent as multipart forms to /predict over connections that are kept. It speaks HTTP by hand: a client library
would take more of the processor than some servers.
"""

import argparse
import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from itertools import count, cycle
from pathlib import Path
from typing import NamedTuple

BOUNDARY = "0123456789abcdef"
# A client that waits longer has left; no person would.
PATIENCE = 60
MOST_CONNECTIONS = 2000


class Answer(NamedTuple):
    """When a request was sent, in seconds from the start, how long its answer took, and its status; 0 is none."""

    at: float
    seconds: float
    status: int


class Connection:
    """One connection that is kept, and opened anew after the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, request: bytes) -> int:
        """The status of the answer; 0 where the connection breaks."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._post(request)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            return 0

    async def _post(self, request: bytes) -> int:
        if self.streams is None or self.streams[0].at_eof():  # the server closes what has long been idle
            self.close()
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(lines["content-length"]))
        if lines.get("connection") == "close":
            self.close()
        return int(head.split()[1])

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def closed(port: int, requests: list[bytes], clients: int, seconds: float) -> list[Answer]:
    """Each client sends its next request when its last is answered."""
    answers: list[Answer] = []
    queue = cycle(requests)
    start = time.perf_counter()

    async def client() -> None:
        connection = Connection(port)
        while (sent := time.perf_counter()) < start + seconds:
            status = await connection.post(next(queue))
            answers.append(Answer(sent - start, time.perf_counter() - sent, status))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


async def open_(port: int, requests: list[bytes], rate: float, seconds: float) -> list[Answer]:
    """Requests come at their rate."""
    answers: list[Answer] = []
    idle: list[Connection] = []
    running: set[asyncio.Task[None]] = set()
    queue = cycle(requests)
    start = time.perf_counter()

    async def send(due: float) -> None:
        connection = idle.pop() if idle else Connection(port)
        status = await connection.post(next(queue))
        answers.append(Answer(due, time.perf_counter() - start - due, status))
        idle.append(connection)

    for number in count():
        due = number / rate
        if due >= seconds:
            break
        await asyncio.sleep(max(0.0, due - (time.perf_counter() - start)))
        if len(running) < MOST_CONNECTIONS:
            task = asyncio.create_task(send(due))
            running.add(task)
            task.add_done_callback(running.discard)
        else:
            answers.append(Answer(due, 0.0, 0))
    await asyncio.gather(*running)
    for connection in idle:
        connection.close()
    return answers


def read_requests(folder: Path, port: int) -> list[bytes]:
    """One request for each photograph."""
    requests = []
    for path in sorted(folder.glob("*.jpg")):
        body = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode() + path.read_bytes()
        body += f"\r\n--{BOUNDARY}--\r\n".encode()
        head = (
            f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["closed", "open"])
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    requests = read_requests(arguments.folder, arguments.port)
    run: Callable[[], Awaitable[list[Answer]]] = {
        "closed": lambda: closed(arguments.port, requests, arguments.clients, arguments.seconds),
        "open": lambda: open_(arguments.port, requests, arguments.rate, arguments.seconds),
    }[arguments.kind]
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for answer in asyncio.run(run()):  # type: ignore[arg-type]
        found[answer.status].append((round(answer.at, 4), round(answer.seconds, 5)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
