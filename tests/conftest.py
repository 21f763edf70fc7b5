"""Fixtures that every room shares."""

import os
from collections.abc import Iterator
from ctypes import CDLL
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from emolens import settings

if TYPE_CHECKING:
    from postgresql import Cluster

# A busy machine is slow now and then; that is no fault of the code.
hypothesis.settings.register_profile("emolens", deadline=None)
hypothesis.settings.load_profile("emolens")

ROOT = Path(__file__).parent.parent


def require(present: bool, what: str) -> None:
    """Skips where something outside the project is absent, or fails where everything is promised to be there."""
    if present:
        return
    if os.environ.get("EMOLENS_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is absent, and EMOLENS_REQUIRE_ALL=1 promises it")
    pytest.skip(f"{what} is absent")


def one_thread(**more: str) -> dict[str, str]:
    """The environment of a process that trains on so little that more threads would only get in each other's way."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


@pytest.fixture(scope="session", autouse=True)
def _without_settings_of_ones_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Away from the variables of whoever runs the tests, and from the `.env` that they may have in the repository."""
    with pytest.MonkeyPatch.context() as patch:
        for name in settings.SETTINGS:
            patch.delenv(name, raising=False)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project."""
    folder = ROOT.parent / "shared" / "data"
    require(folder.is_dir(), f"the data folder {folder}")
    return folder


@pytest.fixture(scope="session")
def bundle(shared_data: Path) -> Path:
    """MediaPipe's bundle, where MediaPipe runs."""
    require(find_spec("mediapipe") is not None, "MediaPipe")
    require(all(map(_is_loadable, ("libEGL.so.1", "libGLESv2.so.2"))), "libegl1 or libgles2")
    return shared_data / "weights" / "face_landmarker.task"


def _is_loadable(library: str) -> bool:
    try:
        CDLL(library)
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def postgresql() -> Iterator["Cluster"]:
    """A PostgreSQL server of the tests' own."""
    pytest.importorskip("psycopg")
    from postgresql import programs, running

    folder = programs()
    require(folder is not None, "PostgreSQL (Debian's package postgresql)")
    assert folder is not None
    with running(folder) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def feedback_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of feedback, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/feedback/feedback.db"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.database()
