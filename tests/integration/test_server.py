"""A real server process: what clients and their sockets meet, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx2
import pytest

from conftest import ROOT
from server_process import PATIENCE, Server, answer_of, slow_picture, until

pytestmark = pytest.mark.slow

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
JPEG = {"Content-Type": "image/jpeg"}


def test_the_embedded_models_read_a_photograph_and_nothing_is_written(serve: Callable[..., Server]) -> None:
    server = serve(models="face")
    answer = httpx2.post(f"{server.url}/predict", files={"file": PHOTO.read_bytes()}, timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.json()["prediction"]["dominant_emotion"] == "happy"
    until(lambda: '"/predict"' in server.lines[-1])  # it is logged once it is sent
    assert json.loads(server.lines[-1])["status"] == 200
    assert "happy" not in "".join(server.lines)


def test_one_connection_too_many_is_told_so_at_once_and_closed(serve: Callable[..., Server]) -> None:
    server = serve(connections=3)
    open_ones = [server.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(3)]
    assert all(connection.recv(9) for connection in open_ones)
    started = time.monotonic()
    with closing(server.send(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789")) as refused:
        head, _, body = answer_of(refused).partition(b"\r\n\r\n")
    assert time.monotonic() - started < 1
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in head
    assert json.loads(body)["error"]["code"] == "too_many_connections"
    for connection in open_ones:
        connection.close()
    until(lambda: httpx2.get(f"{server.url}/health", timeout=PATIENCE).status_code == 200)


def test_who_is_refused_while_sending_and_wants_the_connection_closed_reads_why(serve: Callable[..., Server]) -> None:
    server = serve()
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    with closing(server.send(head + b"Content-Length: 8000000\r\n\r\n" + bytes(8_000_000))) as connection:
        assert answer_of(connection).startswith(b"HTTP/1.1 415 ")


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
        with server.reading_nothing():
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


def emolens(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emolens", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=PATIENCE)


def test_an_address_that_another_program_listens_at_is_named_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for workers in ("1", "2"):
            ended = emolens("serve", "--port", port, "--workers", workers)
            assert ended.returncode == 2
            assert f"port {port} of 127.0.0.1 cannot be listened at: " in ended.stderr


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
