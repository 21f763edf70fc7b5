"""Trainings on what a user brings: folders and tables become model files that predict."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import emolens
from emolens.errors import ConfigError, DataError
from emolens.export.run import export_run
from emolens.runtime import OnnxModel
from emolens.training import processes
from emolens.training.classifier import ClassifierModule
from emolens.training.data import Batch, CropDataset, training_loader
from emolens.training.order import Draw
from emolens.training.parts import read_parts
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.resolve import resolve
from emolens.training.train import train

pytestmark = pytest.mark.slow

LABELS = ("happy", "sad", "angry")


def recipe(name: str, *settings: str) -> ClassifierRecipe:
    loaded = load_recipe(name, settings)
    assert isinstance(loaded, ClassifierRecipe)
    return loaded


def picture(path: Path, brightness: int, seed: int) -> Path:
    noise = np.random.default_rng(seed).integers(0, 40, (56, 56), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise + np.uint8(brightness)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures whose brightness tells the label, so that a training can learn it."""
    for place, label in enumerate(LABELS):
        for number in range(24):
            picture(tmp_path / "mine" / label / f"{number}.png", 20 + 90 * place, 100 * place + number)
    return tmp_path / "mine"


def test_a_folder_becomes_a_model_that_predicts_its_labels(folder: Path, tmp_path: Path) -> None:
    train(recipe("own-faces", "optimisation.epochs=6"), folder, tmp_path / "run")
    card = export_run(tmp_path / "run", tmp_path / "mine.onnx")
    assert set(LABELS) <= set(card.labels)
    assert card.metrics["held-out training rows"]["accuracy"] > 0.6
    predictor = emolens.load(tmp_path / "mine.onnx", detector=None)
    result = predictor.predict(picture(tmp_path / "new.png", 20, 999))
    assert result.dominant == "happy"


def test_faults_are_left_out_and_told_or_with_strict_refused(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "happy" / "broken.png").write_bytes(b"no picture")
    short = recipe("own-faces", "optimisation.epochs=1", "normalisation=dataset")
    with pytest.raises(DataError, match="unreadable image: 1"):
        train(short, folder, tmp_path / "strict", strict=True)
    train(short, folder, tmp_path / "run")
    assert "broken.png" in caplog.text
    assert (tmp_path / "run" / "card.json").is_file()


def test_crops_that_do_not_fit_into_memory_are_cut_when_they_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "happy" / "broken.png").write_bytes(b"no picture")
    fine = recipe("own-faces", "data.labels=[happy, sad, angry]")
    samples = read_parts(fine, folder).training
    cut = CropDataset(samples, fine)
    monkeypatch.setattr("emolens.training.data._IN_MEMORY", 0)
    asked = CropDataset(samples, fine)
    assert asked.crops is None
    broken = next(at for at, sample in enumerate(samples.samples) if "broken" in sample.name)
    with pytest.raises(DataError, match=r"broken\.png"):
        asked[broken]
    other = 0 if broken else 1
    assert torch.equal(asked[other][0], cut[other if other < broken else other - 1][0])


def test_columns_of_zeros_and_ones_become_a_multilabel_model(tmp_path: Path) -> None:
    lines = ["image,tender,proud"]
    for number in range(40):
        tender, proud = number % 2, number // 2 % 2
        picture(tmp_path / f"{number}.png", 20 + 60 * tender + 120 * proud, number)
        lines.append(f"{number}.png,{tender},{proud}")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(lines))
    small = recipe(
        "multilabel",
        "network={name: cnn48}",
        "input={height: 48, width: 48, channels: 3}",
        "optimisation.epochs=1",
        "data.validation=0.3",
        "optimisation.precision=fp32",
    )
    train(small, table, tmp_path / "run")
    card = export_run(tmp_path / "run", tmp_path / "model.onnx")
    assert (card.objective, card.labels, card.threshold) == ("multilabel", ("tender", "proud"), 0.35)
    assert "mean_average_precision" in card.metrics["held-out training rows"]
    crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    assert OnnxModel(tmp_path / "model.onnx").probabilities(crops).shape == (2, 2)
    with pytest.raises(ConfigError, match="several labels per image"):
        read_parts(small.model_copy(update={"objective": recipe("face").objective}), table)


def test_what_a_recipe_leaves_to_the_data_is_resolved(folder: Path) -> None:
    open_recipe = recipe("own-faces", "normalisation=dataset")
    parts = read_parts(open_recipe, folder)
    resolved = resolve(open_recipe, parts.training)
    assert resolved.labels == parts.training.labels
    [mean], [std] = resolved.pixels.mean, resolved.pixels.std
    assert 0.4 < mean < 0.6
    assert 0.2 < std < 0.4
    colours = resolve(recipe("social-resnet50"), parts.training)
    assert colours.pixels.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        (
            "optimisation={epochs: 4, patience: 1, schedule: plateau, optimiser: sgd, learning_rate: 0.01}",
            "best",
        ),
        ("optimisation={epochs: 1, schedule: step, optimiser: adam, clip: 1.0, accumulate: 2}", "last"),
        (
            "optimisation={epochs: 1, schedule: cosine, warmup: 0, ema: 0, precision: fp32, device: cpu}",
            "last",
        ),
    ],
)
def test_every_optimiser_and_schedule_trains(folder: Path, tmp_path: Path, setting: str, kept: str) -> None:
    run = train(recipe("own-faces", setting, "network={name: cnn48}", "balance=sampler"), folder, tmp_path / "run")
    assert (run.folder / "checkpoints" / f"{kept}.safetensors").is_file()
    assert run.card().metrics


@pytest.mark.parametrize(("monitor", "kept"), [("val_loss", 0), ("val_accuracy", 2)])
def test_the_best_epoch_is_the_one_with_the_best_monitored_figure(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, monitor: str, kept: int
) -> None:
    weights = []

    def rising(module: ClassifierModule, batch: Batch) -> None:
        weights.append(module.network.head.weight.detach().clone())
        for name, mean in module.means.items():
            mean.update(float(module.current_epoch), len(batch[0]))
            module.log(name, mean)

    monkeypatch.setattr(ClassifierModule, "validation_step", rising)
    plan = "optimisation={epochs: 3, patience: 5, ema: 0}"
    run = train(recipe("own-faces", plan, f"monitor={monitor}", "network={name: cnn48}"), folder, tmp_path / "run")
    torch.testing.assert_close(load_file(run.best)["head.weight"], weights[kept])


def test_a_device_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"device mps .* cannot be used here"):
        train(recipe("own-faces", "optimisation.device=mps"), folder, tmp_path / "run")


def test_on_a_processor_workers_give_way_to_the_network(folder: Path) -> None:
    class Told(CropDataset):
        def __getitem__(self, wanted: int | Draw) -> Batch:
            image, target, _ = super().__getitem__(wanted)
            return image, target, torch.tensor(os.nice(0))

    plan = recipe("own-faces", "data.labels=[happy, sad, angry]", "optimisation.device=cpu")
    _, _, niceness = next(iter(training_loader(Told(read_parts(plan, folder).training, plan), plan)))
    assert (niceness == min(19, os.nice(0) + 19)).all()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 and later fork safely")
def test_several_processes_on_a_processor_cut_their_crops_themselves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = recipe("own-faces", "data.labels=[happy, sad, angry]", "optimisation.device=cpu")
    crops = CropDataset(read_parts(plan, folder).training, plan)
    assert training_loader(crops, plan).num_workers > 0
    monkeypatch.setattr(processes, "count", lambda: 2)
    loader = training_loader(crops, plan)
    assert loader.num_workers == 0
    assert len(next(iter(loader))) == 3


def test_how_a_sample_is_shown_leaves_the_networks_random_numbers_alone(folder: Path) -> None:
    plan = recipe("own-faces", "data.labels=[happy, sad, angry]", "augmentation={flip: true, rotate: 20}")
    crops = CropDataset(read_parts(plan, folder).training, plan)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    shown = [crops[Draw(0, seed)][0] for seed in (5, 6)]
    assert not torch.equal(*shown)
    assert torch.equal(torch.rand(3), expected)
