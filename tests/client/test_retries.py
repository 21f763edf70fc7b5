"""What is tried again, when, and when no more."""

import json
import math
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from emolens.client.answers import UNREADABLE
from emolens.errors import ConfigError, ServerError
from emolens.serving import errors
from live_server import Said, scripted

BUSY = Said(503, json.dumps(errors.body(errors.overloaded("overloaded", "full"), "theirs")).encode())
WELL = Said(200, b'{"emotions": ["happy"], "num_emotions": 1}')
BROKEN_OFF = Said()
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolens.client.asking._FIRST", 0.01)


@pytest.mark.parametrize("fault", [BUSY, Said(429), Said(503, b"<html>proxy"), BROKEN_OFF])
def test_it_tries_again_until_there_is_room(make_client: Make, fault: Said) -> None:
    with scripted(fault, fault, WELL) as server, make_client(server.url) as client:
        assert client.emotions() == ["happy"]
        assert len(server.asked) == 3
        assert len({headers["X-Request-ID"] for _, headers in server.asked}) == 1


def test_it_gives_up_after_so_many_attempts_and_says_why(make_client: Make) -> None:
    with scripted(BUSY) as server, make_client(server.url, attempts=3) as client:
        with pytest.raises(ServerError, match="full; try again") as refused:
            client.emotions()
        assert len(server.asked) == 3
        error = refused.value
        assert (error.status, error.code) == (503, "overloaded")
        assert error.request_id == server.asked[0][1]["X-Request-ID"]
        assert error.request_id in str(error)


@pytest.mark.parametrize("way", ["seconds", "date"])
def test_it_comes_back_no_sooner_than_the_server_says(make_client: Make, way: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    told = Said(503, headers={"Retry-After": "1" if way == "seconds" else date})
    with scripted(told, WELL) as server, make_client(server.url) as client:
        start = time.monotonic()
        client.emotions()
        assert 0.9 < time.monotonic() - start < 4


def test_a_wait_beyond_its_patience_is_not_begun(make_client: Make) -> None:
    with (
        scripted(Said(503, headers={"Retry-After": "60"})) as server,
        make_client(server.url, patience=5) as client,
    ):
        start = time.monotonic()
        with pytest.raises(ServerError) as refused:
            client.emotions()
        assert refused.value.retry_after == 60
        assert time.monotonic() - start < 4
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_what_would_fail_again_is_not_tried_again(make_client: Make, status: int) -> None:
    with scripted(Said(status)) as server, make_client(server.url) as client:
        with pytest.raises(ServerError) as refused:
            client.emotions()
        assert (refused.value.code, refused.value.status) == (f"http_{status}", status)
        assert len(server.asked) == 1


def test_a_change_whose_answer_is_lost_is_not_made_twice(make_client: Make) -> None:
    with scripted(BUSY, BROKEN_OFF) as server, make_client(server.url) as client:
        with pytest.raises(ServerError) as refused:
            client.roll_back_policy(1)
        assert refused.value.code == "broken_off"
        assert [asked for asked, _ in server.asked] == ["POST /policy/rollback?version=1"] * 2


def test_probes_tell_how_it_is_now(make_client: Make) -> None:
    with scripted(BUSY) as server, make_client(server.url) as client:
        assert client.ready() is False
        with pytest.raises(ServerError):
            client.health()
        assert len(server.asked) == 2


def test_nobody_there(make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with make_client(f"http://127.0.0.1:{port}", attempts=2) as client, pytest.raises(ServerError) as refused:
        client.emotions()
    assert (refused.value.code, refused.value.status) == ("unreachable", None)
    assert f"127.0.0.1:{port}/emotions" in str(refused.value)


def test_a_server_that_says_nothing_is_left_after_the_timeout(make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with make_client(url, timeout=0.1) as client, pytest.raises(ServerError, match="`timeout`") as refused:
            client.emotions()
    assert refused.value.code == "timeout"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"emotions": 3}', b"[" * 100_000, b"\xff"])
def test_what_is_no_emolens_server_is_said_so(make_client: Make, body: bytes) -> None:
    with scripted(Said(200, body)) as server, make_client(server.url) as client:
        with pytest.raises(ServerError, match="check the address") as refused:
            client.emotions()
        assert refused.value.code == "bad_answer"


def test_a_redirect_is_not_followed_with_the_key(make_client: Make) -> None:
    with scripted(WELL) as other, scripted(Said(307, headers={"Location": f"{other.url}/emotions"})) as server:
        with make_client(server.url, key="a-secret") as client, pytest.raises(ServerError):
            client.emotions()
        assert server.asked[0][1]["Authorization"] == "Bearer a-secret"
        assert other.asked == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "localhost:8000"}, "no address"),
        ({"url": "ftp://host"}, "no address"),
        ({"url": "http://"}, "no address"),
        ({"url": "http://host/?a=b"}, "no address"),
        ({"url": "http://ada:secret@host"}, "password"),
        ({"url": "http://ho\x00st"}, "cannot be read"),
        ({"key": "secret\n"}, "key"),
        ({"key": "geheimnißvoll secret"}, "key"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": math.inf}, "timeout"),
        ({"attempts": 0}, "attempt"),
        ({"patience": float("nan")}, "patience"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_without_secrets(
    make_client: Make, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        make_client(**arguments)
    assert "secret" not in str(refused.value)


def test_it_knows_the_servers_codes_of_images() -> None:
    assert frozenset(errors.UNREADABLE) == UNREADABLE


def test_a_server_under_a_path_is_asked_there(make_client: Make) -> None:
    with scripted(WELL) as server, make_client(f"{server.url}/emolens/") as client:
        client.emotions()
        assert server.asked[0][0] == "GET /emolens/emotions"
