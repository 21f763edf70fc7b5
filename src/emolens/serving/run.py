"""Runs the application with uvicorn, in one process or in several."""

import os
import signal
import socket
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from emolens.errors import ConfigError
from emolens.image import Limits
from emolens.serving import metrics
from emolens.serving.app import create_app
from emolens.serving.logs import CONFIG
from emolens.serving.protocol import PatientProtocol
from emolens.serving.settings import ServerSettings
from emolens.serving.ws_protocol import StreamProtocol

# Connections that are taken in one go, in which nobody is answered.
_BACKLOG = 256

# In which a worker is not asked whether it hangs: it reads its programs, and others do so at the same time.
_BEGINNING_SECONDS = 20.0

# What a worker may take beside the time for its last requests, until it is ended.
_ENDING_SECONDS = 5.0


def run(settings: ServerSettings) -> None:
    """Serves until the process is told to stop; then what runs is ended, within `drain_seconds`.

    Raises:
        ConfigError, ModelError, PolicyError: as of `create_app`; and the address is public, and there are no keys, or
            it cannot be listened at.
    """
    settings.check_exposure()
    _check_address(settings.host, settings.port)
    if settings.workers == 1:
        _serve(create_app(settings), settings)
        return
    with TemporaryDirectory(prefix="emolens-serve-") as shared:
        if not settings.policies:
            settings = settings.model_copy(update={"policies": str(Path(shared, "policies"))})
        # After prometheus_client has been imported here, so that this process, which answers nobody, has no part in it.
        os.environ[metrics.FOLDER] = str(figures := Path(shared, "metrics"))
        figures.mkdir()
        create_app(settings)  # so that what cannot be used is told once, and before anything is served
        # Each worker makes its own application, from the environment, the one thing that they have from here.
        os.environ.update(settings.as_environment())
        _serve("emolens.serving.run:worker_app", settings)


def worker_app() -> FastAPI:
    """The application of one worker, which ends with the process that started it, and does not keep the address."""
    Thread(target=_end_with_parent, name="emolens-parent", daemon=True).start()
    return create_app()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _check_address(host: str, port: int) -> None:
    """Raises ConfigError, before anything is opened, where nobody can listen; uvicorn's own end has no remedy."""
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                socket.create_server(address[:2], family=family).close()
            except OSError as error:
                fault = error
            else:
                return
    except OSError as error:
        fault = error
    raise ConfigError(
        f"port {port} of {host} cannot be listened at: {fault.strerror}; choose another with EMOLENS_SERVE_HOST and "
        "EMOLENS_SERVE_PORT, or end what listens there"
    )


def _serve(app: FastAPI | str, settings: ServerSettings) -> None:
    options: dict[str, Any] = {
        "factory": isinstance(app, str),
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "http": PatientProtocol,
        "ws": StreamProtocol,
        "ws_max_size": settings.frame_bytes(Limits.from_environment()),
        "ws_per_message_deflate": False,
        "log_config": CONFIG,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": _BACKLOG,
        "limit_concurrency": settings.connections,
        "timeout_keep_alive": settings.idle_seconds,
        "timeout_graceful_shutdown": settings.drain_seconds,
    }
    if settings.workers == 1:
        uvicorn.run(app, **options)
    else:
        config = uvicorn.Config(app, **options)
        _Workers(config, [config.bind_socket()]).run()


class _Workers(Multiprocess):
    """uvicorn's workers, who have time to begin, and whose end is awaited for so long and no longer.

    Its own way kills one that has not begun after five seconds, on a busy machine again and again, and waits for ever
    for one that hangs.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._seen: dict[int | None, float] = {}

    def keep_subprocess_alive(self) -> None:
        now = monotonic()
        self._seen = {worker.pid: self._seen.get(worker.pid, now) for worker in self.processes}
        begin = [
            worker
            for worker in self.processes
            if worker.process.is_alive() and now - self._seen[worker.pid] < _BEGINNING_SECONDS
        ]
        self.processes = [worker for worker in self.processes if worker not in begin]
        super().keep_subprocess_alive()
        self.processes += begin

    def join_all(self) -> None:
        end = monotonic() + (self.config.timeout_graceful_shutdown or 0) + _ENDING_SECONDS
        for worker in self.processes:
            worker.process.join(max(0.0, end - monotonic()))
            if worker.process.is_alive():
                worker.kill()
        super().join_all()
