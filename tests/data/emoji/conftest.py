"""A registry of packages on this machine, and a cache of one's own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoji_packages import Publish
from emolens.data.emoji.packages import Vendor
from folder_server import serving
from layouts import write


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Puts an archive into the registry as the package of google."""
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    for name in ("EMOLENS_OFFLINE", "EMOLENS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    registry = tmp_path / "registry"
    registry.mkdir()
    with serving(registry) as address:

        def put(archive: bytes) -> Vendor:
            write(registry / "google-1.tgz", archive)
            return Vendor(
                name="google",
                url=f"{address}/google-1.tgz",
                size=len(archive),
                sha256=hashlib.sha256(archive).hexdigest(),
                terms="none",
                open=True,
            )

        yield put
