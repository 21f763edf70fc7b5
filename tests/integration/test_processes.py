"""Several processes train as one would that has their batches together."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from conftest import one_thread
from fer_tables import fer_row, write_fer_table

pytestmark = pytest.mark.slow

# Without batch norm, whose statistics are those of each process.
SETTINGS = (
    "name=tiny",
    "network={name: test_convnext, pretrained: false}",
    "input={height: 32, width: 32, channels: 3}",
    "normalisation=imagenet",
    "optimisation={epochs: 2, precision: fp32, learning_rate: 0.001, patience: 2, device: cpu}",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    return write_fer_table(tmp_path_factory.mktemp("data") / "fer.parquet", rows)


def train(
    starter: list[str], table: Path, run: Path, batch_size: int, *more: str
) -> "subprocess.CompletedProcess[str]":
    settings = [*SETTINGS, f"optimisation.batch_size={batch_size}"]
    chosen = [part for setting in settings for part in ("--set", setting)]
    command = [*starter, "-m", "emolens", "train", "face", "--data", table, "--out", run, *chosen, *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, env=one_thread())
    assert ended.returncode == 0, ended.stderr
    return ended


def figures(told: str) -> list[float]:
    """The losses and the accuracy of every epoch."""
    return [float(figure) for figure in re.findall(r"(?:loss|accuracy) ([\d.]+)", told)]


def test_two_processes_end_with_the_weights_of_one_with_the_doubled_batch(table: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = train(torchrun, table, tmp_path / "two", 8)
    one = train([sys.executable], table, tmp_path / "one", 16)

    weights = [load_file(tmp_path / run / "weights.safetensors") for run in ("two", "one")]
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-5)
    told = [figures(ended.stderr) for ended in (two, one)]
    assert told[0] == pytest.approx(told[1], abs=2e-4)
    assert len(told[0]) == 2 * 3, two.stderr  # of two epochs, and by one process
    assert two.stdout.count("Next: ") == 1
    assert (tmp_path / "two" / "model.onnx").exists()
