"""How much a key may take, and which pages may ask."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from starlette.testclient import TestClient

from detectors import HeldUp, MagentaPatches
from emolens.detect.base import Detections
from emolens.errors import ConfigError
from emolens.serving import ServerSettings
from emolens.serving.errors import RequestError
from emolens.serving.guard import Quotas
from pictures import picture
from server_process import until

FACE = (10, 20, 40, 50)
PNG = {"Content-Type": "image/png"}
ADA, BOB = ({"Authorization": f"Bearer {name}"} for name in ("ada-key", "bob-key"))
KEYS = ",".join(f"{name}:{hashlib.sha256(f'{name}-key'.encode()).hexdigest()}" for name in ("ada", "bob"))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_has_a_seconds_worth_in_hand_and_then_its_rate() -> None:
    clock = Clock()
    quotas = Quotas(rate=4, concurrency=0, clock=clock)
    assert [quotas.take("ada") for _ in range(4)] == [0] * 4
    assert quotas.take("ada") == pytest.approx(0.25)
    assert quotas.take("bob") == 0
    clock.now += 0.25
    assert quotas.take("ada") == 0
    assert quotas.take("ada") > 0


@given(
    st.floats(0.1, 50),
    st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
def test_no_key_gets_more_than_its_rate_and_who_waits_as_told_is_let_in(rate: float, pauses: list[float]) -> None:
    clock = Clock()
    quotas = Quotas(rate, 0, clock)
    taken = 0
    for pause in pauses:
        clock.now += pause
        wait = quotas.take("ada")
        if wait:
            clock.now += wait + 1e-6
            assert quotas.take("ada") == 0
        taken += 1
    assert taken <= max(1, rate) + rate * clock.now + 1e-3


def test_a_request_that_ends_makes_room_for_another_however_it_ends() -> None:
    quotas = Quotas(0, 1)
    with pytest.raises(ValueError, match="ends"), quotas.admitted("ada"):
        raise ValueError("ends")
    with quotas.admitted("ada"), quotas.admitted("bob"), pytest.raises(RequestError) as caught:
        quotas.admitted("ada").__enter__()
    assert (caught.value.status, caught.value.code) == (429, "too_many_at_once")
    with quotas.admitted("ada"):
        pass


def test_beyond_its_rate_a_key_is_told_when_to_come_again_and_others_are_answered(
    serve: Callable[..., TestClient],
) -> None:
    client = serve(keys=KEYS, key_rate=0.5)
    assert client.get("/emotions", headers=ADA).status_code == 200
    answer = client.get("/emotions", headers=ADA)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_requests"
    assert answer.headers["retry-after"] == "2"
    assert client.get("/emotions", headers=BOB).status_code == 200
    assert client.get("/health").status_code == 200


def test_beyond_its_concurrency_a_key_is_refused_before_its_body_is_read(
    serve: Callable[..., TestClient], held_up: HeldUp
) -> None:
    client = serve(held_up, keys=KEYS, key_concurrency=1)
    app: Any = client.app
    sent: list[Any] = []

    async def receive() -> Any:
        pytest.fail("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"image/png"), (b"authorization", b"Bearer ada-key")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/predict", content=picture(FACE), headers=PNG | ADA)
        until(lambda: held_up.begun == 1)
        asyncio.run(app(scope, receive, send))
        assert client.get("/emotions", headers=BOB).status_code == 200
        held_up.free.set()
        assert first.result().status_code == 200
    assert sent[0]["status"] == 429
    assert client.get("/emotions", headers=ADA).status_code == 200


def test_the_workers_share_a_keys_limits_out_between_them() -> None:
    assert ServerSettings.load(keys=KEYS, workers=2, key_rate=3, key_concurrency=3).key_share() == (1.5, 2)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"key_rate": 1}, "KEY_RATE"),
        ({"key_concurrency": 1}, "KEY_CONCURRENCY"),
        ({"cors": "https://a.example/page"}, "CORS"),
        ({"cors": "a.example"}, "CORS"),
        ({"cors": "https://a.example, null"}, "CORS"),
        ({"connections": 0}, "CONNECTIONS"),
    ],
)
def test_limits_that_would_limit_nothing_are_refused(given: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=f"EMOLENS_SERVE_{name}: "):
        ServerSettings.load(**given)


PAGE = {"Origin": "https://app.example"}
PREFLIGHT = {
    **PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


class Faulty(MagentaPatches):
    def detect(self, image: NDArray[np.uint8]) -> Detections:  # noqa: ARG002
        raise RuntimeError


def test_no_page_of_another_site_may_ask_unless_it_is_named(client: TestClient) -> None:
    assert "access-control-allow-origin" not in client.get("/health", headers=PAGE).headers
    assert "access-control-allow-origin" not in client.options("/predict", headers=PREFLIGHT).headers


def test_a_page_that_is_named_may_read_every_answer_faults_included(serve: Callable[..., TestClient]) -> None:
    client = serve(Faulty(), keys=KEYS, cors="https://other.example, https://app.example")
    answers = [
        client.get("/health", headers=PAGE),
        client.get("/nowhere", headers=PAGE),
        client.get("/emotions", headers=PAGE),
        client.post("/predict", content=picture(FACE), headers=PNG | ADA | PAGE),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 401, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["x-request-id"]
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in client.get("/health", headers={"Origin": "https://b.example"}).headers


def test_a_preflight_needs_no_key_and_is_refused_by_what_it_does_not_say(serve: Callable[..., TestClient]) -> None:
    client = serve(keys=KEYS, cors="https://app.example")
    allowed = client.options("/predict", headers=PREFLIGHT)
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert allowed.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    refused = client.options("/predict", headers=PREFLIGHT | {"Origin": "https://b.example"})
    assert refused.status_code == 204
    assert "access-control-allow-origin" not in refused.headers
