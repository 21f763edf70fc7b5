"""A PostgreSQL server for tests: a cluster of its own in a folder of its own, reached by a socket in it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

PATIENCE_S = 60
_SUPERUSER = "postgres"


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian keeps it out of PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "postgres").is_file()), None)


@dataclass
class Cluster:
    """A server that runs.

    Attributes:
        folder: its data, and its socket.
        process: of the server.
    """

    folder: Path
    process: "subprocess.Popen[bytes]"

    def __post_init__(self) -> None:
        self._numbers = count()

    def database(self) -> str:
        """The address of a new and empty database."""
        name = f"test{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{_SUPERUSER}@/{name}?host={self.folder}"

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(self.folder), user=_SUPERUSER, dbname="postgres", autocommit=True)


@contextmanager
def running(bin_folder: Path) -> Iterator[Cluster]:
    """Makes a cluster, starts its server, and ends and removes both."""
    # Not in pytest's folder, which root alone may enter: PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        who = _someone_else(folder)
        initdb = [
            bin_folder / "initdb",
            "-D",
            folder / "data",
            "-U",
            _SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **who)
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "max_connections": 50, "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            command = [bin_folder / "postgres", "-D", folder / "data", *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **who)
        cluster = Cluster(folder, process)
        _wait(cluster)
        yield cluster
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
        shutil.rmtree(folder)


def _someone_else(folder: Path) -> dict[str, Any]:
    """For root: whom the server runs as; Debian's package has made that user."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_SUPERUSER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(cluster: Cluster) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            cluster.connect().close()
            return
        except psycopg.OperationalError:
            if cluster.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((cluster.folder / "log").read_text()) from None
            time.sleep(0.05)
