"""Features that are kept are those that would be made, and only new crops are looked at."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import pyarrow.parquet as pq

from emolens.card import Features
from emolens.classic.cache import cached

FEATURES = Features(step="embedding", model="faces.onnx", sha256="0" * 64)


class Counting:
    """Means of the crops, and how many it was asked for."""

    size = 2

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        self.asked += len(crops)
        means = crops.reshape(len(crops), -1).mean(axis=1)
        return np.stack([means, -means], axis=1).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path))
    return tmp_path / "features"


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)


def through(wanted: np.ndarray, features: Features = FEATURES) -> tuple[np.ndarray, int]:
    counting = Counting()
    with cached(counting, features) as step:
        return step(wanted), counting.asked


def test_what_was_made_before_is_read_from_a_parquet_table(folder):
    first, asked = through(crops(5))
    assert asked == 5
    again, asked = through(crops(7))
    assert asked == 2
    np.testing.assert_array_equal(again[:5], first)
    np.testing.assert_array_equal(again, Counting()(crops(7)))
    tables = list(folder.glob("embedding-*/*.parquet"))
    assert sum(pq.read_metadata(table).num_rows for table in tables) == 7


def test_copies_of_a_crop_are_looked_at_once():
    assert through(np.repeat(crops(1), 4, axis=0))[1] == 1


def test_another_model_file_or_parameter_has_features_of_its_own():
    through(crops(3))
    assert through(crops(3), FEATURES.model_copy(update={"sha256": "1" * 64}))[1] == 3
    assert through(crops(3), Features(**FEATURES.model_dump(), unit=False))[1] == 3


def test_crops_of_the_same_bytes_in_another_shape_are_other_crops():
    through(crops(1))
    assert through(crops(1).reshape(1, 2, 8, 1))[1] == 1


def test_what_was_made_before_a_failure_is_kept():
    with suppress(RuntimeError), cached(Counting(), FEATURES) as step:
        step(crops(3))
        raise RuntimeError
    assert through(crops(3))[1] == 0


def test_a_killed_training_goes_on_where_its_last_table_was_written():
    code = """
import os, signal
from test_cache import FEATURES, Counting, cached, crops
with cached(Counting(), FEATURES) as step:
    for start in (0, 1000, 2000, 3000):
        step(crops(4000)[start : start + 1000])
    os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False)
    assert ended.returncode == -signal.SIGKILL
    again, asked = through(crops(4000))
    assert asked == 1000
    np.testing.assert_array_equal(again, Counting()(crops(4000)))


def test_a_damaged_table_is_made_anew_with_a_warning(folder, caplog):
    through(crops(3))
    [table] = folder.glob("*/*.parquet")
    table.write_bytes(table.read_bytes()[:50])
    assert through(crops(3))[1] == 3
    assert "is damaged" in caplog.text
    caplog.clear()
    assert through(crops(3))[1] == 0
    assert not caplog.text


def test_a_folder_that_cannot_be_written_costs_only_time_and_is_told_once(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "file"))
    with cached(Counting(), FEATURES) as step:
        for start in (0, 2500):
            assert len(step(crops(5000)[start : start + 2500])) == 2500
    assert caplog.text.count("cannot be written") == 1
