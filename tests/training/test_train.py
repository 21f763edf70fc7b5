"""Trainings end to end, on tiny data: a run, its resumption, and the model file that comes of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from emolens.card import METADATA_KEY, ModelCard
from emolens.errors import ConfigError, ModelError
from emolens.export.formats import Format
from emolens.export.model_file import write_model_file
from emolens.export.run import export_run
from emolens.runtime import OnnxModel
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.run import Run
from emolens.training.train import train
from fer_tables import fer_row, write_fer_table

NETWORK = "network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}"
TINY = [NETWORK, "optimisation.batch_size=16", "data.validation=0.3"]


def tiny_recipe(*settings: str) -> ClassifierRecipe:
    recipe = load_recipe("face", [*TINY, *settings])
    assert isinstance(recipe, ClassifierRecipe)
    return recipe


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("training")
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    table = write_fer_table(folder / "fer.parquet", rows)
    train(tiny_recipe("optimisation.epochs=2"), table, folder / "run")
    return table, folder / "run"


@pytest.mark.slow
def test_a_training_leaves_a_run_that_becomes_a_model_file(finished_run: tuple[Path, Path]) -> None:
    _, folder = finished_run
    card = export_run(folder, folder / "model.onnx")
    model = OnnxModel(folder / "model.onnx")
    assert model.card == card
    assert card.labels == ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other")
    assert card.trained_on
    assert card.limits
    assert 0.05 < card.temperature < 20
    assert {"accuracy", "slices"} <= set(card.metrics["held-out training rows"])
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    np.testing.assert_allclose(model.probabilities(crops).sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_checkpoint_can_be_exported_before_the_training_ends(finished_run: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = finished_run
    card = export_run(folder / "checkpoints" / "last.safetensors", tmp_path / "early.onnx")
    export_run(folder, tmp_path / "final.onnx")
    assert (card.temperature, card.metrics) == (1, {})
    assert card.parity is not None
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    early, final = (OnnxModel(tmp_path / name).logits(crops) for name in ("early.onnx", "final.onnx"))
    np.testing.assert_allclose(early, final, atol=1e-4)


@pytest.mark.slow
def test_a_run_is_written_in_8_bits_without_its_dataset(finished_run: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = finished_run
    exact = export_run(folder, tmp_path / "exact.onnx")
    card = export_run(folder, tmp_path / "small.onnx", Format.onnx_int8)
    assert card.parity is not None
    assert (card.parity.form, card.parity.crops) == ("onnx-int8", len(Run(folder).crops()) // 2)
    assert card.model_copy(update={"parity": exact.parity}) == exact
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    early, late = (OnnxModel(tmp_path / name).probabilities(crops) for name in ("exact.onnx", "small.onnx"))
    np.testing.assert_allclose(early, late, atol=0.05)


@pytest.mark.slow
def test_a_run_is_written_in_float16(finished_run: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = finished_run
    card = export_run(folder, tmp_path / "half.onnx", Format.onnx_fp16)
    assert card.parity is not None
    assert card.parity.form == "onnx-fp16"
    graph = onnx.load(tmp_path / "half.onnx").graph
    convolutions = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert {types[name] for name in convolutions} == {onnx.TensorProto.FLOAT16}
    crops = Run(folder).crops()
    export_run(folder, tmp_path / "exact.onnx")
    exact, half = (OnnxModel(tmp_path / name, "cpu").probabilities(crops) for name in ("exact.onnx", "half.onnx"))
    np.testing.assert_allclose(exact, half, atol=0.02)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_a_run_is_written_as_torchscript_with_its_card(finished_run: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = finished_run
    card = export_run(folder, tmp_path / "new" / "model.pt", Format.torchscript)
    extra = {METADATA_KEY: ""}
    module = torch.jit.load(tmp_path / "new" / "model.pt", _extra_files=extra)
    assert ModelCard.model_validate_json(extra[METADATA_KEY]) == card
    crops = Run(folder).crops()[:5]
    export_run(folder, tmp_path / "model.onnx")
    found = OnnxModel(tmp_path / "model.onnx", "cpu").logits(crops)
    np.testing.assert_allclose(module(torch.from_numpy(crops)).numpy(), found, atol=0.02)


@pytest.mark.slow
def test_a_damaged_export_is_refused_and_nothing_written(
    finished_run: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = finished_run
    # An exporter that forgets the normalisation.
    monkeypatch.setattr(
        "emolens.export.run.write_model_file",
        lambda trained, path, half: write_model_file(replace(trained, mean=[0.9], std=[0.01]), path, half),
    )
    with pytest.raises(ModelError, match="onnx file does not answer as the trained network"):
        export_run(folder, tmp_path / "out" / "model.onnx")
    assert not (tmp_path / "out").exists()


def test_an_export_needs_the_crops_of_the_training(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(ConfigError, match="kept no crops"):
        run.crops()
    (tmp_path / "crops.safetensors").write_bytes(b"no crops")
    with pytest.raises(ConfigError, match="damaged"):
        run.crops()


@pytest.mark.slow
def test_a_damaged_checkpoint_is_refused_in_words(finished_run: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = finished_run
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "recipe.yaml").write_bytes((folder / "recipe.yaml").read_bytes())
    checkpoint = tmp_path / "checkpoints" / "last.safetensors"
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match="is missing, damaged, or of another training"):
        export_run(checkpoint, tmp_path / "model.onnx")


@pytest.mark.slow
def test_a_killed_training_remembers_how_good_its_best_epoch_was(
    finished_run: tuple[Path, Path], tmp_path: Path
) -> None:
    table, _ = finished_run
    run = train(tiny_recipe("optimisation.epochs=1"), table, tmp_path / "run")
    callbacks = torch.load(run.checkpoint, weights_only=True)["callbacks"]
    [best] = [state for name, state in callbacks.items() if "val_loss" in name]
    assert best["best_model_score"] is not None


@pytest.mark.slow
def test_nothing_in_a_run_needs_unpickling(finished_run: tuple[Path, Path]) -> None:
    _, folder = finished_run
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"recipe.yaml", "versions.json", "weights.safetensors", "card.json"} <= names
    assert {"last.ckpt", "last.safetensors", "best.safetensors"} <= names
    assert "best.ckpt" not in names
    version = json.loads((folder / "versions.json").read_text())["torch"]
    assert torch.__version__.startswith(version.partition("+")[0])
    assert not any(name.endswith((".pt", ".pth", ".pkl")) for name in names)
    torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    json.loads((folder / "card.json").read_text())


@pytest.mark.slow
def test_a_training_killed_before_its_card_was_written_is_finished(
    finished_run: tuple[Path, Path], tmp_path: Path
) -> None:
    table, folder = finished_run
    stopped = tmp_path / "stopped"
    (stopped / "checkpoints").mkdir(parents=True)
    # As a training leaves it that is killed after the last epoch: checkpoints and the recipe.
    for name in ("recipe.yaml", "checkpoints/last.ckpt", "checkpoints/last.safetensors"):
        (stopped / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ConfigError, match="not finished"):
        Run(stopped).card()
    run = train(tiny_recipe("optimisation.epochs=2"), table, stopped, resume=True)
    assert run.card().metrics


@pytest.mark.slow
def test_a_run_is_neither_overwritten_nor_mixed_with_another_recipe(finished_run: tuple[Path, Path]) -> None:
    table, folder = finished_run
    with pytest.raises(ConfigError, match="holds a training already"):
        train(tiny_recipe("optimisation.epochs=2"), table, folder)
    with pytest.raises(ConfigError, match="another recipe"):
        train(tiny_recipe("optimisation.epochs=3"), table, folder, resume=True)


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no checkpoint to resume"):
        Run.start(tmp_path / "new", tiny_recipe(), resume=True)


def test_a_folder_that_is_no_run_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no run"):
        export_run(tmp_path, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match="is no run"):
        export_run(tmp_path / "absent", tmp_path / "model.onnx")


@pytest.mark.slow
def test_each_epoch_is_one_line_with_figures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    table = write_fer_table(tmp_path / "fer.parquet", rows)
    with caplog.at_level("INFO", logger="emolens"):
        train(tiny_recipe("optimisation.epochs=2"), table, tmp_path / "run")
    messages = [record.getMessage() for record in caplog.records]
    assert any("contempt, unknown -> other" in message for message in messages)
    lines = [message for message in messages if message.startswith("epoch")]
    assert [line.partition(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert all(name in line for line in lines for name in ("train_loss", "val_loss", "val_accuracy"))
    assert lines[1].endswith("0:00:00 left")
