"""A real server among clients that mean no good: the right status for each, memory that is bounded, and health."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import pytest

from hostile import make_hostile
from hostile_http import PICTURE, REQUESTS, STREAMS, images
from integration.conftest import serving
from server_process import PATIENCE, Server, answer_of

pytestmark = pytest.mark.slow

PNG = {"Content-Type": "image/png"}
MOST_BYTES = 160 * 2**20  # of 16 megapixels, decoded, and of an upload or two


@pytest.fixture(scope="module")
def server(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all, so that what one leaves behind is met by the next."""
    with serving(tiny, tmp_path_factory.mktemp("hostile")) as start:
        yield start()


@pytest.fixture(autouse=True)
def _bounded_and_healthy(server: Server) -> Iterator[None]:
    assert predict(server, PICTURE).status_code == 200
    before = server.peak_bytes()
    yield
    assert server.peak_bytes() - before < MOST_BYTES
    assert server.metric("emolens_upload_bytes 0.0")
    assert predict(server, PICTURE).status_code == 200
    assert not [line for line in server.lines if json.loads(line)["event"] == "fault"]


def predict(server: Server, image: bytes) -> httpx2.Response:
    return httpx2.post(f"{server.url}/predict", content=image, headers=PNG, timeout=PATIENCE)


def test_images(server: Server) -> None:
    for name, (status, image) in images().items():
        answer = predict(server, image)
        assert (name, answer.status_code) == (name, status)
        assert answer.headers["content-type"] == "application/json"
        assert "script" not in answer.text


def test_images_that_are_broken(server: Server, tmp_path: Path) -> None:
    codes = make_hostile(tmp_path)
    files = [path for path in map(tmp_path.joinpath, codes) if path.is_file() and path.stat().st_size < 2**20]
    assert len(files) > 20
    for path in files:
        answer = predict(server, path.read_bytes())
        assert answer.status_code in (400, 413, 415, 422), path.name
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(server: Server, name: str) -> None:
    expected, sent = REQUESTS[name]
    with closing(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        said = answer_of(connection)
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]
    # A client that is still sending when the server closes may lose the answer to its own reset.
    assert statuses == expected or (len(sent) > 2**16 and not said)
    if statuses and statuses[-1] >= 400:
        assert set(json.loads(said.rpartition(b"\r\n\r\n")[2])["error"]) == {"code", "message", "request_id"}


@pytest.mark.parametrize("name", STREAMS)
def test_a_hundred_megabytes_without_length(server: Server, name: str) -> None:
    status, head, chunk = STREAMS[name]
    before = server.peak_bytes()
    with closing(server.send(head)) as connection:
        connection.settimeout(PATIENCE)
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100 * 2**20 // len(chunk)):
                connection.sendall(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 %d " % status)
    assert server.peak_bytes() - before < 48 * 2**20


@pytest.mark.parametrize("field", [b"threshold", b"policy", b"model", b"thre\0shold", b"\xff\xfe"])
def test_fields_that_are_no_text(server: Server, field: bytes) -> None:
    part = b'--xyz\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    for value in (b"\x000.5", b"0.5\0", b"\xff\xfe", b"\xed\xa0\x80"):
        body = part % (b'file"; filename="a\0/../../b.png', PICTURE) + part % (field, value) + b"--xyz--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=xyz"}
        answer = httpx2.post(f"{server.url}/predict", content=body, headers=kind, timeout=PATIENCE)
        assert answer.status_code == 422
        assert "b.png" not in answer.text


@pytest.fixture
def impatient(serve: Callable[..., Server]) -> Server:
    return serve(idle_seconds=1, upload_seconds=1)


def test_connections_that_dawdle_are_closed_and_others_are_answered_meanwhile(impatient: Server) -> None:
    started = time.monotonic()
    silent = impatient.send(b"")
    half = impatient.send(b"POST /predict HTTP/1.1\r\nHost: a\r\n")
    served = impatient.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    slow = impatient.send(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n")
    refused = impatient.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n")
    dripping = impatient.send(b"GET /health HTTP/1.1\r\n")
    with suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(8):  # a byte now and then does not keep a head alive
            time.sleep(0.25)
            dripping.sendall(b"X")
            with suppress(BrokenPipeError, ConnectionResetError):
                refused.sendall(b"0")
    assert httpx2.get(f"{impatient.url}/health", timeout=PATIENCE).status_code == 200
    assert [answer_of(connection) for connection in (silent, half, dripping)] == [b"", b"", b""]
    assert answer_of(served).startswith(b"HTTP/1.1 200 ")
    assert answer_of(slow).startswith(b"HTTP/1.1 408 ")
    assert answer_of(refused).startswith(b"HTTP/1.1 404 ")
    assert time.monotonic() - started < 20
    for connection in (silent, half, served, slow, refused, dripping):
        connection.close()


def test_a_client_that_does_not_read_its_answers_is_cut_off(impatient: Server) -> None:
    with closing(impatient.send(b"")) as greedy:
        greedy.settimeout(PATIENCE)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            greedy.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000_000)
    assert httpx2.get(f"{impatient.url}/health", timeout=PATIENCE).status_code == 200


def test_a_body_of_crumbs_does_not_take_the_time_of_the_others(server: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(server.send(head)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"1\r\n0\r\n" * 200_000)
        started = time.monotonic()
        assert httpx2.get(f"{server.url}/health", timeout=PATIENCE).status_code == 200
        assert time.monotonic() - started < 5
        assert answer_of(connection)[:13] in (b"HTTP/1.1 400 ", b"")


def test_what_breaks_off_in_the_middle_of_a_body_is_no_fault_of_ours(server: Server) -> None:
    for path in ("nowhere", "predict"):
        head = f"POST /{path} HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
        with closing(server.send(head.encode() + b"no chunk\r\n")) as connection:
            assert answer_of(connection).startswith(b"HTTP/1.1 400 ")
    assert not any('"level": "error"' in line for line in server.lines)
