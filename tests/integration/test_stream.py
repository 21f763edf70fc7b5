"""Streams of a real server process: what their sockets meet, and how they end."""

import base64
import json
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from conftest import ROOT
from integration.conftest import serving
from server_process import PATIENCE, Server, answer_of, slow_picture, until

pytestmark = pytest.mark.slow

PHOTO = (ROOT / "docs" / "images" / "astronaut.jpg").read_bytes()
HANDSHAKE = {
    "Host": "a",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
}
BINARY, CONTINUED, PING, LAST = 0x2, 0x0, 0x9, 0x80

Serve = Callable[..., Server]


def opened(server: Server, path: str = "/stream", **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}{path}", open_timeout=PATIENCE, max_size=None, **options)


def ask(stream: ClientConnection, frame: bytes) -> Any:
    stream.send(frame)
    return json.loads(stream.recv(PATIENCE))


def end_of(stream: ClientConnection) -> int:
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed) as caught:
        stream.recv(PATIENCE)
    assert caught.value.rcvd is not None
    return int(caught.value.rcvd.code)


def handshake(request: str = "GET /stream HTTP/1.1", **headers: str | None) -> bytes:
    said = {**HANDSHAKE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [request, *(f"{name}: {value}" for name, value in said.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode()


def raw_stream(server: Server) -> socket.socket:
    connection = server.send(handshake())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(2**16)
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"permessage-deflate" not in head
    return connection


def frame_head(opcode: int, length: int) -> bytes:
    """With a mask of zeros, so that what follows goes as it is."""
    if length < 126:
        return struct.pack(">BB4x", opcode, 0x80 | length)
    return struct.pack(">BBQ4x", opcode, 0x80 | 127, length)


def is_well(server: Server) -> bool:
    with opened(server) as stream:
        return ask(stream, PHOTO)["status"] == "success" and server.metric("emolens_streams 1.0")


def test_the_embedded_models_follow_a_face_through_a_stream_and_nothing_is_told_of_it(serve: Serve) -> None:
    server = serve(models="face")
    with opened(server, "/stream?threshold=0.2") as stream:
        answers = [ask(stream, PHOTO) for _ in range(3)]
        assert not stream.protocol.extensions
    assert {answer["prediction"]["dominant_emotion"] for answer in answers} == {"happy"}
    assert {tuple(face["id"] for face in answer["faces"]) for answer in answers} == {(1,)}
    assert [answer["frame"] for answer in answers] == [1, 2, 3]
    until(lambda: '"event": "stream"' in server.lines[-1])
    said = json.loads(server.lines[-1])
    assert (said["path"], said["status"], said["frames"], said["dropped"], said["code"]) == ("/stream", 101, 3, 0, 1000)
    everything = "".join(server.lines)
    assert "happy" not in everything
    assert "threshold" not in everything


def test_a_client_that_sends_faster_than_it_is_answered_gets_the_newest(serve: Serve) -> None:
    server = serve(memory=512 * 2**20)
    picture = slow_picture()
    with opened(server) as stream:
        for _ in range(10):
            stream.send(picture)
        told = []
        while not told or told[-1]["frame"] < 10:
            told.append(json.loads(stream.recv(PATIENCE)))
    assert len(told) < 10
    assert sum(answer["dropped"] for answer in told) + len(told) == 10


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (handshake(Sec_WebSocket_Key=None), 400),
        (handshake(Sec_WebSocket_Key="short"), 400),
        (handshake(Sec_WebSocket_Version="8"), 400),
        (handshake("GET /nowhere HTTP/1.1"), 404),
        (handshake("GET /stream?threshold=2 HTTP/1.1"), 422),
        (handshake(Origin="https://evil.example"), 403),
        (handshake(Content_Length="9") + b"123456789", 400),
        (handshake(Transfer_Encoding="chunked") + b"0\r\n\r\n", 400),
        (handshake(**{f"X-{number}": "a" for number in range(200)}), 400),
        (handshake(Cookie="a" * 9000), 400),
        (handshake("POST /stream HTTP/1.1"), 405),
    ],
)
def test_what_is_no_handshake_gets_the_one_shape_of_errors(tidy: Server, sent: bytes, status: int) -> None:
    with closing(tidy.send(sent)) as connection:
        head, _, body = answer_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert set(json.loads(body)["error"]) == {"code", "message", "request_id"}
    assert b"websocket" not in body.lower() or b"handshake" in body


@pytest.fixture(scope="module")
def tidy(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tiny, tmp_path_factory.mktemp("tidy")) as start:
        yield start(idle_seconds=1, stream_seconds=2)


def test_more_bytes_than_a_frame_may_have_are_not_waited_for(tidy: Server) -> None:
    with closing(raw_stream(tidy)) as connection:
        connection.sendall(frame_head(BINARY | LAST, 2**33))
        assert struct.pack(">H", 1009) in answer_of(connection)
    with closing(raw_stream(tidy)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(frame_head(BINARY, 2**20) + bytes(2**20))
            for _ in range(20):
                connection.sendall(frame_head(CONTINUED, 2**20) + bytes(2**20))
        answer_of(connection)
    assert is_well(tidy)


@pytest.mark.parametrize(
    "crumbs",
    [frame_head(BINARY, 0) + frame_head(CONTINUED, 0) * 100_000, frame_head(PING | LAST, 0) * 100_000],
    ids=["fragments", "pings"],
)
def test_crumbs_do_not_take_the_time_of_the_others(tidy: Server, crumbs: bytes) -> None:
    with closing(raw_stream(tidy)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(crumbs)
        started = time.monotonic()
        assert is_well(tidy)
        assert time.monotonic() - started < 5
        connection.setblocking(False)
    until(lambda: any('"code": 1008' in line for line in tidy.lines))


def test_a_frame_that_comes_byte_by_byte_does_not_keep_a_stream_alive(tidy: Server) -> None:
    started = time.monotonic()
    with closing(raw_stream(tidy)) as connection:
        connection.sendall(frame_head(BINARY | LAST, 1000))
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(12):
                connection.sendall(b"0")
                time.sleep(0.25)
        assert struct.pack(">H", 1008) in answer_of(connection)
    assert time.monotonic() - started < 15


def test_a_client_that_takes_no_answer_and_no_pong_is_cut_off(tidy: Server) -> None:
    before = tidy.peak_bytes()
    with closing(raw_stream(tidy)) as connection:
        ping = (frame_head(PING | LAST, 125) + bytes(125)) * 1000
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(200):
                connection.sendall(ping)
        until(lambda: tidy.metric("emolens_streams 0.0"))
    assert tidy.peak_bytes() - before < 48 * 2**20


def test_broken_frames_close_the_stream_and_hurt_nobody(tidy: Server) -> None:
    for sent in (b"\xff" * 64, b"\x82\x05hello", frame_head(CONTINUED | LAST, 1) + b"0", b"\x00" * 64):
        with closing(raw_stream(tidy)) as connection:
            connection.sendall(sent)
            assert struct.pack(">H", 1002) in answer_of(connection)
    assert is_well(tidy)


def test_a_stream_without_a_key_is_answered_before_it_is_opened(serve: Serve) -> None:
    server = serve(keys=f"ada:{'0' * 64}")
    with pytest.raises(InvalidStatus) as caught:
        opened(server)
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["WWW-Authenticate"] == "Bearer"
    assert json.loads(caught.value.response.body or b"")["error"]["code"] == "unauthorized"


def test_sigterm_closes_streams_and_ends(serve: Serve) -> None:
    server = serve()
    with server.reading_nothing(), opened(server) as idle, opened(server) as busy:
        busy.send(PHOTO)
        until(lambda: server.metric("emolens_images_waiting 1.0"))
        started = time.monotonic()
        os.kill(server.process.pid, signal.SIGTERM)
        assert (end_of(idle), end_of(busy)) == (1012, 1012)
    server.process.wait(PATIENCE)
    assert time.monotonic() - started < 15
    assert not any("Traceback" in line or '"level": "error"' in line for line in server.lines)


def test_a_stream_whose_client_reads_nothing_does_not_keep_the_server_from_ending(serve: Serve) -> None:
    server = serve(drain_seconds=2)
    with closing(raw_stream(server)) as connection:
        connection.sendall((frame_head(PING | LAST, 125) + bytes(125)) * 20_000)
        os.kill(server.process.pid, signal.SIGTERM)
        started = time.monotonic()
        server.process.wait(PATIENCE)
    assert time.monotonic() - started < 15


def test_plain_requests_to_the_streams_address_are_refused(tidy: Server) -> None:
    assert httpx2.get(f"{tidy.url}/stream", timeout=PATIENCE).status_code == 404
