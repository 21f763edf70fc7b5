"""`emolens train --track`: what a tracker holds in the end is what the training left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import one_thread
from fer_tables import fer_row, write_fer_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),  # MLflow's tables
]

SETTINGS = ("network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}", "optimisation={epochs: 2, batch_size: 8}")


def test_a_tracked_training_leaves_its_recipe_curves_confusion_matrix_and_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    table, run = write_fer_table(tmp_path / "fer.parquet", rows), tmp_path / "runs" / "first"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)  # without a server, files go into the working directory
    chosen = [part for setting in SETTINGS for part in ("--set", setting)]
    command = [sys.executable, "-m", "emolens", "train", "face", "--data", table, "--out", run, *chosen]
    subprocess.run([*command, "--track", "mlflow", "--track", "tensorboard"], check=True, timeout=300, env=one_thread())

    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (tracked,) = client.search_runs([client.get_experiment_by_name("emolens").experiment_id])
    assert (tracked.info.run_name, tracked.info.status) == ("first", "FINISHED")
    assert tracked.data.params["optimisation.epochs"] == "2"
    assert len(client.get_metric_history(tracked.info.run_id, "val_loss")) == 2
    files = Path(client.download_artifacts(tracked.info.run_id, ""))
    assert (files / "model.onnx").read_bytes() == (run / "model.onnx").read_bytes()
    held_out = json.loads((run / "card.json").read_text())["metrics"]["held-out training rows"]
    assert json.loads((files / "confusion.json").read_text())["confusion"] == held_out["confusion"]
    assert list((run / "logs").glob("events.out.tfevents.*"))
