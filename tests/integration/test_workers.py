"""Several workers: what they share, and what the end of one costs."""

import hashlib
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from server_process import PATIENCE, Server, until

pytestmark = pytest.mark.slow

ADMIN = {"Authorization": "Bearer the-admin-key"}
POLICY = "name: {}\nlabels: social8\nrules:\n  happy:\n    allow: [🎈]\n"


def workers(server: Server) -> set[int]:
    """The processes that answer."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline") for child in children}
    return {child for child, command in commands.items() if b"spawn_main" in command.read_bytes()}


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """Two workers, both of which answer."""
    server = serve(workers=2, admin_keys=f"ops:{hashlib.sha256(b'the-admin-key').hexdigest()}")
    until(lambda: sum("started server process" in line.lower() for line in server.lines) == 2)
    until(lambda: is_served(server))
    return server


def is_served(server: Server) -> bool:
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{server.url}/ready", timeout=PATIENCE).status_code == 200
    return False


def live(server: Server) -> str:
    """The policy's name; each time over a new connection, which any worker may take."""
    name: str = httpx2.get(f"{server.url}/policy", timeout=PATIENCE).json()["name"]
    return name


def test_a_policy_is_that_of_every_worker_and_of_one_that_is_started_later(server: Server) -> None:
    for count in range(3):
        sent = POLICY.format(f"party{count}").encode()
        assert httpx2.put(f"{server.url}/policy", content=sent, headers=ADMIN, timeout=PATIENCE).status_code == 200
        assert {live(server) for _ in range(10)} == {f"party{count}"}
    first = workers(server)
    for worker in first:
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(workers(server) - first) == 2)
    until(lambda: is_served(server))
    assert {live(server) for _ in range(10)} == {"party2"}


def test_what_they_share_is_gone_with_them(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(workers=2)
    until(lambda: is_served(server))
    assert list(tmp_path.glob("emolens-serve-*"))
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(PATIENCE)
    assert not list(tmp_path.glob("emolens-serve-*"))


def test_the_figures_of_any_worker_are_those_of_all_and_a_dead_ones_gauges_are_gone(server: Server) -> None:
    for _ in range(30):
        httpx2.get(f"{server.url}/hello", timeout=PATIENCE)
    until(lambda: server.metric('emolens_requests_total{path="/hello",status="200"} 30.0'))
    until(lambda: server.metric(f"{model_info(server)} 2.0"))
    first = workers(server)
    os.kill(min(first), signal.SIGKILL)
    until(lambda: len(workers(server)) == 1)
    until(lambda: server.metric(f"{model_info(server)} 1.0"))  # before the next one has started
    until(lambda: len(workers(server) - first) == 1)
    until(lambda: server.metric(f"{model_info(server)} 2.0"))
    assert server.metric('emolens_requests_total{path="/hello",status="200"} 30.0')


def model_info(server: Server) -> str:
    (model,) = httpx2.get(f"{server.url}/models", timeout=PATIENCE).json()["models"]
    return f'emolens_model_info{{model="tiny",sha256="{model["sha256"]}",version="1"}}'
