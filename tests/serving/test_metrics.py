"""The figures that processes share."""

import os
from pathlib import Path
from typing import Never

import pytest

from emolens.serving.metrics import FOLDER, Metrics


def test_the_gauges_of_a_process_whose_number_is_another_users_by_now_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ours(*_: object) -> Never:
        raise PermissionError

    gauges = tmp_path / "gauge_livesum_77.db"
    gauges.touch()
    monkeypatch.setattr(os, "kill", not_ours)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    Metrics().text()
    assert not gauges.exists()
