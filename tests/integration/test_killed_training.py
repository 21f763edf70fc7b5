"""A training that is killed or interrupted goes on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_tables import fer_row, write_fer_table

pytestmark = pytest.mark.slow

EPOCHS = 40
NETWORK = "network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}"
TINY = (NETWORK, "optimisation.batch_size=8", f"optimisation.epochs={EPOCHS}")


def test_a_killed_training_resumes_where_it_was(tmp_path: Path) -> None:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    table, run = write_fer_table(tmp_path / "fer.parquet", rows), tmp_path / "run"
    command = [sys.executable, "-m", "emolens", "train", "face", "--data", table, "--out", run]
    command += [part for setting in TINY for part in ("--set", setting)]

    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (run / "checkpoints" / "last.ckpt").exists():
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert not (run / "model.onnx").exists()

    second = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300)
    assert second.returncode == 0, second.stderr
    epochs = [int(line.split("epoch ")[1].split()[0]) for line in second.stderr.splitlines() if " epoch " in line]
    assert epochs[0] > 1
    assert epochs == list(range(epochs[0], EPOCHS + 1))
    assert (run / "model.onnx").exists()


def test_ctrl_c_ends_after_the_step_with_a_checkpoint_and_the_way_on(tmp_path: Path) -> None:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    table, run = write_fer_table(tmp_path / "fer.parquet", rows), tmp_path / "run"
    command = [sys.executable, "-m", "emolens", "train", "face", "--data", table, "--out", run]
    command += [part for setting in TINY for part in ("--set", setting)]

    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (run / "checkpoints" / "last.ckpt").exists():
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=60)
    assert first.returncode == 130, told
    assert "add --resume to the same command" in told
    assert "Traceback" not in told

    second = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300)
    assert second.returncode == 0, second.stderr
    assert (run / "model.onnx").exists()
