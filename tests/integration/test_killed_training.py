"""A training that is killed or interrupted goes on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from conftest import one_thread
from fer_tables import fer_row, write_fer_table

pytestmark = pytest.mark.slow

EPOCHS = 4
NETWORK = "network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}"
# Many steps an epoch, so that a signal finds the training in the middle of one.
SETTINGS = (NETWORK, "optimisation.batch_size=2", f"optimisation.epochs={EPOCHS}")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(90)]
    return write_fer_table(tmp_path_factory.mktemp("data") / "fer.parquet", rows)


def command(table: Path, run: Path) -> list[str | Path]:
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    return [sys.executable, "-m", "emolens", "train", "face", "--data", table, "--out", run, *settings]


def started(table: Path, run: Path) -> "subprocess.Popen[str]":
    """A training in its second epoch."""
    training = subprocess.Popen(
        command(table, run),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=one_thread(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    deadline = time.monotonic() + 120
    while not (run / "checkpoints" / "last.ckpt").exists():
        assert training.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return training


def resumed_epochs(table: Path, run: Path) -> list[int]:
    again = [*command(table, run), "--resume"]
    ended = subprocess.run(again, capture_output=True, text=True, timeout=300, env=one_thread())
    assert ended.returncode == 0, ended.stderr
    assert (run / "model.onnx").exists()
    return [int(line.split("epoch ")[1].split()[0]) for line in ended.stderr.splitlines() if " epoch " in line]


def test_a_killed_training_goes_on_to_the_weights_of_one_that_was_not(table: Path, tmp_path: Path) -> None:
    subprocess.run(command(table, tmp_path / "whole"), check=True, capture_output=True, timeout=300, env=one_thread())
    training = started(table, tmp_path / "killed")
    training.kill()
    training.communicate()
    assert not (tmp_path / "killed" / "model.onnx").exists()
    epochs = resumed_epochs(table, tmp_path / "killed")
    assert epochs[0] > 1
    assert epochs == list(range(epochs[0], EPOCHS + 1))
    killed, whole = (load_file(tmp_path / run / "weights.safetensors") for run in ("killed", "whole"))
    torch.testing.assert_close(killed, whole, rtol=0, atol=0)


def test_ctrl_c_ends_after_the_step_with_a_checkpoint_and_the_way_on(table: Path, tmp_path: Path) -> None:
    training = started(table, tmp_path / "run")
    training.send_signal(signal.SIGINT)
    _, told = training.communicate(timeout=60)
    assert training.returncode == 130, told
    assert "add --resume to the same command" in told
    assert "Traceback" not in told
    assert resumed_epochs(table, tmp_path / "run")[-1] == EPOCHS
