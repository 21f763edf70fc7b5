"""Fixtures that every room shares."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from postgresql import Cluster

# A busy machine is slow now and then; that is no fault of the code.
settings.register_profile("emolens", deadline=None)
settings.load_profile("emolens")

ROOT = Path(__file__).parent.parent


def require(present: bool, what: str) -> None:
    """Skips where something outside the project is absent, or fails where everything is promised to be there."""
    if present:
        return
    if os.environ.get("EMOLENS_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is absent, and EMOLENS_REQUIRE_ALL=1 promises it")
    pytest.skip(f"{what} is absent")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project."""
    folder = ROOT.parent / "shared" / "data"
    require(folder.is_dir(), f"the data folder {folder}")
    return folder


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
