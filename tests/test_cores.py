"""Counting cores."""

import os
from pathlib import Path

import pytest

from emolens import cores
from emolens.cores import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_cores_that_the_process_may_not_use_are_not_counted() -> None:
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_cores)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, all_cores)
    assert usable_cores() == len(all_cores)


@pytest.mark.parametrize(
    ("limit", "expected"), [("50000 100000\n", 1), ("max 100000\n", None), ("9900000 100000\n", None)]
)
def test_a_container_has_the_cores_of_its_limit(
    limit: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(limit)
    without = usable_cores()
    monkeypatch.setattr(cores, "_CPU_MAX", file)
    assert usable_cores() == (expected or without)
