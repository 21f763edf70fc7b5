"""Servers in processes of their own."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from models import make_model_file
from server_process import PATIENCE, Server, until


def no_files(server: Server) -> None:
    """From now on, whatever its processes try to write to a file fails."""
    for process in server.processes():
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes the whole image, so that it needs no detector."""
    return make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx", kind="generic")


@pytest.fixture
def serve(tiny: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with these settings, on a free port."""
    with serving(tiny, tmp_path) as start:
        yield start


@contextmanager
def serving(tiny: Path, folder: Path) -> Iterator[Callable[..., Server]]:
    """The same, in this folder and for as long as one wants."""
    servers: list[Server] = []
    followers: list[threading.Thread] = []

    def start(**given: object) -> Server:
        settings = {"models": tiny, "port": 0, "processes": 1, "workers": 1, **given}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOLENS_")}
        environment |= {f"EMOLENS_SERVE_{name.upper()}": str(value) for name, value in settings.items()}
        environment |= {"EMOLENS_MAX_BYTES": str(8 * 2**20), "EMOLENS_MAX_PIXELS": str(2**24)}
        environment |= {"OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
        process = subprocess.Popen(
            [sys.executable, "-m", "emolens", "serve"],
            env=environment,
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        servers.append(Server(process))
        followers.append(threading.Thread(target=servers[-1].follow))
        followers[-1].start()
        until(lambda: servers[-1].port > 0 or process.poll() is not None)
        assert process.poll() is None, servers[-1].lines
        if settings["workers"] == 1:  # several share some files with each other
            no_files(servers[-1])
        return servers[-1]

    try:
        yield start
    finally:
        for server, follower in zip(servers, followers, strict=True):
            with suppress(ProcessLookupError):
                os.killpg(server.process.pid, signal.SIGKILL)  # the workers, too
            server.process.wait(PATIENCE)
            follower.join(PATIENCE)
