"""Feedback that many processes write, and a server that is killed while it writes: nothing lost, nothing double."""

import base64
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

pytest.importorskip("sqlalchemy")

from conftest import ROOT
from emolens.feedback import Answer, Store
from feedback_writer import numbered, numbers
from models import make_model_file
from pictures import picture
from server_process import PATIENCE, Server, until

pytestmark = pytest.mark.slow

WRITERS = 8


def test_eight_writers_at_once_lose_nothing_and_write_nothing_twice(feedback_url: str) -> None:
    command = [sys.executable, str(ROOT / "tests" / "feedback_writer.py"), feedback_url]
    path = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    writers = [
        subprocess.Popen([*command, str(writer)], env=environment, stdout=subprocess.PIPE, text=True)
        for writer in range(WRITERS)
    ]
    new = Counter[int]()
    for process in writers:
        out, _ = process.communicate(timeout=2 * PATIENCE)
        assert process.returncode == 0
        new.update(map(int, out.split()))
    wanted = {number for writer in range(WRITERS) for number in numbers(writer)}
    assert set(new.values()) == {1}  # one writer alone has heard of each that it was new
    assert set(new) == wanted
    with Store.open(feedback_url) as store:
        assert sorted(int(answer.version) for answer in store.answers()) == sorted(wanted)
        assert store.add(numbered(0)) is False


@contextmanager
def serving(feedback_url: str, folder: Path) -> Iterator[Server]:
    settings = {"models": folder / "tiny.onnx", "port": 0, "threads": 1, "feedback": 1}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOLENS_")}
    environment |= {f"EMOLENS_SERVE_{name.upper()}": str(value) for name, value in settings.items()}
    environment |= {"EMOLENS_FEEDBACK_URL": feedback_url, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "emolens", "serve"]
    server = Server(subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True))
    follower = threading.Thread(target=server.follow)
    follower.start()
    try:
        until(lambda: server.port > 0 or server.process.poll() is not None)
        yield server
    finally:
        server.process.kill()
        server.process.wait(PATIENCE)
        follower.join(PATIENCE)


def body(answer: Answer) -> dict[str, object]:
    image = base64.b64encode(picture(size=(300, 200))).decode()
    sent = answer.model_dump(mode="json", exclude={"created", "image"})
    return sent | {"consent": True, "image": image}


def test_a_server_that_is_killed_while_it_writes_has_kept_what_it_confirmed(feedback_url: str, tmp_path: Path) -> None:
    make_model_file(tmp_path / "tiny.onnx", kind="generic")
    answers = [numbered(number) for number in range(80)]
    confirmed: set[str] = set()

    def send(server: Server, answer: Answer) -> int | None:
        with suppress(httpx2.TransportError):
            status = httpx2.post(f"{server.url}/feedback", json=body(answer), timeout=PATIENCE).status_code
            if status in (200, 201):
                confirmed.add(answer.client_id)
            return status
        return None

    with serving(feedback_url, tmp_path) as server, ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, server, answer) for answer in answers]
        until(lambda: len(confirmed) >= 20)
        os.kill(server.process.pid, signal.SIGKILL)
        statuses = [job.result() for job in sent]
    assert None in statuses  # it was killed while there was something to do
    before = set(confirmed)
    with Store.open(feedback_url) as store:
        kept = {answer.client_id for answer in store.answers()}
        assert before <= kept
        assert len(list(store.kept())) == len(kept)  # each with its whole picture
    with serving(feedback_url, tmp_path) as server, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda answer: send(server, answer), answers))
    assert statuses == [200 if answer.client_id in kept else 201 for answer in answers]
    with Store.open(feedback_url) as store:
        assert sorted(answer.client_id for answer in store.answers()) == sorted(one.client_id for one in answers)
