"""A real server process: what clients and their sockets meet, and how it ends."""

import io
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from models import make_model_file

pytestmark = pytest.mark.slow

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
JPEG = {"Content-Type": "image/jpeg"}
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
        told = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert told
        return 1024 * int(told[1])


def no_files() -> None:
    """Run in the server's process: whatever it tries to write to a file fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes the whole image, so that it needs no detector."""
    return make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx", kind="generic")


@pytest.fixture
def serve(tiny: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with these settings, on a free port."""
    servers: list[Server] = []
    followers: list[threading.Thread] = []

    def start(**given: object) -> Server:
        settings = {"models": tiny, "port": 0, "threads": 1, **given}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOLENS_")}
        environment |= {f"EMOLENS_SERVE_{name.upper()}": str(value) for name, value in settings.items()}
        environment |= {"EMOLENS_MAX_BYTES": str(8 * 2**20), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "emolens", "serve"],
            env=environment,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=no_files,
            start_new_session=True,
        )
        servers.append(Server(process))
        followers.append(threading.Thread(target=servers[-1].follow))
        followers[-1].start()
        until(lambda: servers[-1].port > 0 or process.poll() is not None)
        assert process.poll() is None, servers[-1].lines
        return servers[-1]

    try:
        yield start
    finally:
        for server, follower in zip(servers, followers, strict=True):
            with suppress(ProcessLookupError):
                os.killpg(server.process.pid, signal.SIGKILL)  # the workers, too
            server.process.wait(PATIENCE)
            follower.join(PATIENCE)


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


def test_the_embedded_models_read_a_photograph_and_nothing_is_written(serve: Callable[..., Server]) -> None:
    server = serve(models="face")
    answer = httpx2.post(f"{server.url}/predict", files={"file": PHOTO.read_bytes()}, timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.json()["prediction"]["dominant_emotion"] == "happy"
    logged = json.loads(server.lines[-1])
    assert (logged["path"], logged["status"]) == ("/predict", 200)
    assert "happy" not in "".join(server.lines)


def test_a_hundred_megabytes_without_length_are_refused_and_not_kept(serve: Callable[..., Server]) -> None:
    server = serve()
    before = server.peak_bytes()
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(server.send(head)) as connection:
        connection.settimeout(PATIENCE)
        chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1600):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert server.peak_bytes() - before < 48 * 2**20
    assert httpx2.post(f"{server.url}/predict", content=PHOTO.read_bytes(), headers=JPEG).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"X-Flood: a\r\n" * 100_000 + b"\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_the_one_shape_of_errors(tidy_server: Server, sent: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", tidy_server.port), PATIENCE)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        head, _, body = answer_of(connection).partition(b"\r\n\r\n")
    # A client that is still sending when the server closes may lose the answer to its own reset.
    if head:
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["error"]["code"] == "bad_request"
    assert httpx2.get(f"{tidy_server.url}/health", timeout=PATIENCE).status_code == 200


@pytest.fixture
def tidy_server(serve: Callable[..., Server]) -> Server:
    return serve(idle_seconds=1, upload_seconds=1)


def test_connections_that_dawdle_are_closed_and_others_are_answered_meanwhile(tidy_server: Server) -> None:
    started = time.monotonic()
    silent = tidy_server.send(b"")
    half = tidy_server.send(b"POST /predict HTTP/1.1\r\nHost: a\r\n")
    served = tidy_server.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    slow = tidy_server.send(
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n"
    )
    refused = tidy_server.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n")
    dripping = tidy_server.send(b"GET /health HTTP/1.1\r\n")
    with suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(8):  # a byte now and then does not keep a head alive
            time.sleep(0.25)
            dripping.sendall(b"X")
            with suppress(BrokenPipeError, ConnectionResetError):
                refused.sendall(b"0")
    assert httpx2.get(f"{tidy_server.url}/health", timeout=PATIENCE).status_code == 200
    assert [answer_of(connection) for connection in (silent, half, dripping)] == [b"", b"", b""]
    assert answer_of(served).startswith(b"HTTP/1.1 200 ")
    assert answer_of(slow).startswith(b"HTTP/1.1 408 ")
    assert answer_of(refused).startswith(b"HTTP/1.1 404 ")
    assert time.monotonic() - started < 20
    for connection in (silent, half, served, slow, refused, dripping):
        connection.close()


def test_under_overload_some_are_answered_and_the_rest_are_told_when_to_come_again(
    serve: Callable[..., Server],
) -> None:
    server, picture = serve(queue=2, files=1), slow_picture()
    with ThreadPoolExecutor(12) as pool, httpx2.Client(timeout=PATIENCE) as client:
        jobs = [
            pool.submit(client.post, f"{server.url}/predict", content=picture, headers={"Content-Type": "image/png"})
            for _ in range(12)
        ]
        answers = [job.result() for job in jobs]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
    assert server.metric("emolens_images_waiting 0.0")
    assert server.metric("emolens_upload_bytes 0.0")


def test_sigterm_answers_what_was_accepted_and_ends(serve: Callable[..., Server]) -> None:
    server, picture = serve(), slow_picture()
    with ThreadPoolExecutor(5) as pool:
        jobs = [
            pool.submit(
                httpx2.post,
                f"{server.url}/predict",
                content=picture,
                headers={"Content-Type": "image/png"},
                timeout=PATIENCE,
            )
            for _ in range(5)
        ]
        until(lambda: server.metric("emolens_images_waiting 5.0"))
        server.process.send_signal(signal.SIGTERM)
        assert [job.result().status_code for job in jobs] == [200] * 5
    assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)


def test_sigterm_does_not_wait_for_ever_for_a_client_that_never_ends(serve: Callable[..., Server]) -> None:
    server = serve(drain_seconds=1)
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 9999\r\n\r\n0"
    with closing(server.send(head)):
        until(lambda: server.metric("emolens_upload_bytes 1.0"))
        server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        server.process.wait(PATIENCE)
    assert time.monotonic() - started < 10


def test_a_worker_that_is_killed_is_started_anew(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)

    def workers() -> set[int]:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        commands = {int(child): Path(f"/proc/{child}/cmdline") for child in children}
        return {child for child, command in commands.items() if b"spawn_main" in command.read_bytes()}

    def is_served() -> bool:
        with suppress(httpx2.TransportError):
            return httpx2.get(f"{server.url}/ready", timeout=PATIENCE).status_code == 200
        return False

    until(is_served)
    first = workers()
    assert len(first) == 2
    os.kill(min(first), signal.SIGKILL)
    until(lambda: len(workers() - first) == 1)
    until(is_served)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(PATIENCE)


def emolens(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emolens", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=PATIENCE)


def test_settings_are_shown_without_secrets() -> None:
    secret = "ada:" + "0" * 64
    for command in (("serve", "--show-settings", "--port", "9"), ("info",)):
        ended = emolens(*command, EMOLENS_SERVE_KEYS=secret, EMOLENS_SERVE_QUEUE="40")
        assert ended.returncode == 0
        assert secret not in ended.stdout
        assert re.search(r"^EMOLENS_SERVE_KEYS[=:] *\*+", ended.stdout, re.M)
        assert re.search(r"^EMOLENS_SERVE_QUEUE[=:] *40", ended.stdout, re.M)


def test_a_public_address_is_refused_without_keys() -> None:
    ended = emolens("serve", "--host", "0.0.0.0", "--port", "0")
    assert ended.returncode == 2
    assert "EMOLENS_SERVE_KEYS" in ended.stderr
