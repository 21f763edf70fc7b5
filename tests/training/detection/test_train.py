"""A small training of the detector, whole: photographs in, a model file out."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch
from safetensors.torch import load_file

from emolens.detect.own import OwnDetector
from emolens.errors import ConfigError
from emolens.export.formats import Format
from emolens.export.run import export_run
from emolens.training.detection.recipe import DetectorRecipe
from emolens.training.recipe import load_recipe
from emolens.training.train import train
from face_photos import face_row, write_face_table

SETTINGS = [
    "optimisation.batch_size=4",
    "augmentation.size=64",
    "network.widths=[8, 16, 16, 16]",
    "network.blocks=[1, 1, 1, 1]",
    "network.neck=16",
]


def recipe(*settings: str) -> DetectorRecipe:
    loaded = load_recipe("detector", [*SETTINGS, "optimisation.epochs=2", *settings])
    assert isinstance(loaded, DetectorRecipe)
    return loaded


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [face_row(seed, seed % 3) for seed in range(8)] + [face_row(seed, 1, "val") for seed in range(8, 10)]
    return write_face_table(tmp_path / "faces.parquet", rows)


@pytest.mark.slow
def test_a_training_leaves_a_run_that_exports_to_a_working_detector(table: Path, tmp_path: Path) -> None:
    run = train(recipe(), table, tmp_path / "run")
    card = export_run(run.folder, tmp_path / "detector.onnx")
    assert card.kind == "detector"
    assert card.parity is not None
    with pytest.raises(ConfigError, match="a detector is not written in 8 bits"):
        export_run(run.folder, tmp_path / "small.onnx", Format.onnx_int8)
    assert set(card.metrics["validation photographs"]) >= {"average_precision", "recall", "false_boxes"}
    detector = OwnDetector(tmp_path / "detector.onnx", score_threshold=0.001)
    found = detector.detect(np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8))
    assert found.boxes.shape == (len(found), 4)


@pytest.mark.slow
def test_every_epoch_leaves_a_checkpoint_from_which_a_broken_off_training_goes_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emolens.training.detection.module import DetectorModule

    def break_off(module: DetectorModule) -> None:
        if module.current_epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DetectorModule, "on_train_epoch_start", break_off)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(recipe(), table, tmp_path / "run")
    with pytest.raises(ConfigError, match="add --resume"):
        train(recipe(), table, tmp_path / "run")
    run = train(recipe(), table, tmp_path / "run", resume=True)
    assert run.card().kind == "detector"


@pytest.mark.slow
def test_a_training_begins_with_the_weights_of_a_run_of_the_same_network(table: Path, tmp_path: Path) -> None:
    begun = train(recipe(), table, tmp_path / "begun")
    weights = f"weights={begun.folder / 'weights.safetensors'}"
    still = recipe(weights, "optimisation.learning_rate=1e-12", "optimisation.ema=0")
    run = train(still, table, tmp_path / "run")
    before, after = (load_file(one.folder / "weights.safetensors") for one in (begun, run))
    for name in before:
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            torch.testing.assert_close(after[name], before[name])
    with pytest.raises(ConfigError, match=r"weights\.safetensors"):
        train(recipe(weights, "network.neck=32"), table, tmp_path / "other")
    with pytest.raises(ConfigError, match=r"^weights: there is no file"):
        train(recipe("weights=gone.safetensors"), table, tmp_path / "none")


def test_a_misspelt_key_of_the_recipe_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rotate'"):
        recipe("augmentation.rotat=1")
