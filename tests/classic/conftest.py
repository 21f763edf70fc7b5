"""A place on this machine from which models are pulled."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emolens import zoo
from emolens.session import file_hash
from folder_server import serving

Publish = Callable[[str, Path], None]


@pytest.fixture
def publish(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Has a file stand for a model of the zoo, as the one that `emolens models pull` brings."""
    for name in ("EMOLENS_OFFLINE", "EMOLENS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    published = tmp_path_factory.mktemp("published")
    with serving(published) as address:

        def put(name: str, file: Path) -> None:
            shutil.copy(file, published)
            told = {"url": f"{address}/{file.name}", "sha256": file_hash(file), "size": file.stat().st_size}
            monkeypatch.setitem(zoo.entries(), name, zoo.entries()[name].model_copy(update=told))

        yield put
