"""Fixtures that every room shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
