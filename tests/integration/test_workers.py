"""Several workers: what they share, and what the end of one costs."""

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from emolens.session import file_hash
from load import Load, ports_of_peers
from models import make_model_file
from pictures import picture
from server_process import PATIENCE, Server, slow_picture, until

pytestmark = pytest.mark.slow

ADMIN = {"Authorization": "Bearer the-admin-key"}
POLICY = "name: {}\nlabels: social8\nrules:\n  happy:\n    allow: [🎈]\n"


def workers(server: Server) -> set[int]:
    """The processes that answer."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    found = set()
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


def late_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Gives what makes workers take eight seconds to begin; for servers that are started after this."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, sys.path)]))
    late = "import sys, time\nif any('spawn_main' in word for word in sys.orig_argv):\n    time.sleep(8)\n"

    def begin_late() -> None:
        (folder / "sitecustomize.py").write_text(late)

    return begin_late


def begun(server: Server) -> int:
    """How many workers have begun to answer so far."""
    return sum("application startup complete" in line.lower() for line in server.lines)


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """Two workers, both of which answer."""
    server = serve(workers=2, admin_keys=f"ops:{hashlib.sha256(b'the-admin-key').hexdigest()}")
    until(lambda: begun(server) == 2)
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


def test_the_figures_of_any_worker_are_those_of_all_and_a_dead_ones_gauges_are_gone(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_late = late_workers(tmp_path, monkeypatch)
    server = serve(workers=2)
    until(lambda: begun(server) == 2)
    until(lambda: is_served(server))
    for _ in range(30):
        httpx2.get(f"{server.url}/hello", timeout=PATIENCE)
    until(lambda: server.metric('emolens_requests_total{path="/hello",status="200"} 30.0'))
    until(lambda: server.metric(f"{model_info(server)} 2.0"))
    begin_late()
    first = workers(server)
    os.kill(min(first), signal.SIGKILL)
    until(lambda: server.metric(f"{model_info(server)} 1.0"))  # before the next one has started
    until(lambda: len(workers(server) - first) == 1)
    until(lambda: begun(server) == 3)
    until(lambda: server.metric(f"{model_info(server)} 2.0"))
    assert server.metric('emolens_requests_total{path="/hello",status="200"} 30.0')


def model_info(server: Server) -> str:
    (model,) = httpx2.get(f"{server.url}/models", timeout=PATIENCE).json()["models"]
    return info_line(model["sha256"])


def info_line(sha256: str) -> str:
    return f'emolens_model_info{{model="tiny",sha256="{sha256}",version="1"}}'


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_killed_or_hangs_harms_only_the_requests_that_it_had(
    server: Server, end: signal.Signals
) -> None:
    first = workers(server)
    with Load(server.port, picture(), clients=6) as load:
        until(lambda: load.answered() > 50)
        os.kill(min(first), signal.SIGSTOP)  # so that what it has can be counted
        its_own = ports_of_peers(min(first))
        os.kill(min(first), end)
        until(lambda: len(workers(server) - first) == 1)
        until(lambda: is_served(server))
        before = load.answered()
        until(lambda: load.answered() > before + 50)
    unanswered = {one.port for one in load.sent if one.status is None}
    assert unanswered <= its_own
    assert {one.status for one in load.sent if one.port not in unanswered} == {200}


@pytest.mark.parametrize("count", [1, 2])
def test_sigterm_under_load_answers_all_that_was_accepted(serve: Callable[..., Server], count: int) -> None:
    server = serve(workers=count, drain_seconds=20)
    until(lambda: is_served(server))
    with Load(server.port, slow_picture(), clients=6) as load:
        until(lambda: load.answered() > 6)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE)
        assert time.monotonic() - began < 20
    until(lambda: server.process.stderr is None or server.process.stderr.closed)  # all has been said
    logged = [line for line in map(json.loads, server.lines) if line.get("path") == "/predict"]
    assert {line["status"] for line in logged} == {200}
    assert sum(one.status == 200 for one in load.sent) == len(logged)
    assert {one.status for one in load.sent} <= {200, None}


def test_workers_that_take_long_to_begin_are_not_killed_for_it(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late_workers(tmp_path, monkeypatch)()
    server = serve(workers=2)
    until(lambda: is_served(server))
    assert not [line for line in server.lines if "died" in line]


def test_workers_end_with_the_process_that_started_them(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)
    until(lambda: is_served(server))
    server.process.kill()
    until(lambda: not is_served(server))


def test_a_worker_that_hangs_does_not_keep_the_server_from_its_end(serve: Callable[..., Server]) -> None:
    server = serve(workers=2, drain_seconds=1)
    until(lambda: len(workers(server)) == 2 and is_served(server))
    os.kill(min(workers(server)), signal.SIGSTOP)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(15)


def test_a_model_that_is_replaced_again_and_again_under_load_fails_no_request(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    served, new = tmp_path / "tiny.onnx", tmp_path / "new.onnx"
    moods = ("happy", "sad")

    def make(path: Path, count: int) -> str:
        make_model_file(path, kind="generic", name="tiny", bias={moods[count % 2]: 100.0 + count})
        return file_hash(path)

    make(served, 0)
    server = serve(models=served, workers=2)
    until(lambda: is_served(server))
    with Load(server.port, picture(), clients=4) as load:
        for count in range(1, 7):
            digest = make(new, count)
            new.replace(served)
            until(lambda digest=digest: server.metric(f"{info_line(digest)} 2.0"))  # type: ignore[misc]
            if count == 3:
                served.write_bytes(b"broken")
                until(lambda: server.metric('emolens_model_reloads_total{model="tiny",result="failed"} 2.0'))
        answered = load.answered()
        until(lambda: load.answered() > answered + 10)
    assert {one.status for one in load.sent} == {200}
    found = [json.loads(one.body)["prediction"]["dominant_emotion"] for one in load.sent]
    assert set(found) == set(moods)
    assert set(found[-5:]) == {"happy"}
