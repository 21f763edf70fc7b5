"""A registry of packages on this machine, and a cache of one's own."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from emoji_packages import Publish
from emolens.data.emoji.packages import Vendor
from layouts import write


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Puts an archive into the registry as the package of google."""
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    for name in ("EMOLENS_OFFLINE", "EMOLENS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    registry = tmp_path / "registry"
    registry.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(registry))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def put(archive: bytes) -> Vendor:
            write(registry / "google-1.tgz", archive)
            return Vendor(
                name="google",
                url=f"http://127.0.0.1:{server.server_port}/google-1.tgz",
                size=len(archive),
                sha256=hashlib.sha256(archive).hexdigest(),
                terms="none",
                open=True,
            )

        yield put
        server.shutdown()
        thread.join()
