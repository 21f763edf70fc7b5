"""What every recipe of a network promises: it trains on a dataset in its real layout, and leaves a measured run."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import timm
from PIL import Image
from safetensors.torch import save_file

from emoji_packages import write_packages
from emolens.data.emoji.build import build
from emolens.data.emoji.packages import vendors
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.train import train
from face_photos import face_row, write_face_table
from fer_tables import fer_row, write_fer_table
from layouts import FER_LABELS, jpeg, lines, write, write_emotion6, write_folders
from recipe_lists import NETWORKS

pytestmark = pytest.mark.slow

STAND_INS = {
    "vit_base_patch16_224": "test_vit",
    "convnext_tiny": "test_convnext",
    "efficientnet_b0": "test_efficientnet",
    **dict.fromkeys(("resnet18", "resnet34", "resnet50", "resnetv2_50", "vgg16"), "test_resnet"),
}
"""timm's smallest networks for the large ones, which `tests/networks` trains."""

SMALL = {
    "detector": (
        "network={widths: [8, 16, 16, 16], blocks: [1, 1, 1, 1], neck: 16}", "augmentation.size=64",
        "optimisation.batch_size=4",
    ),
    "face-teacher": ("network={name: dlib_resnet, blocks: 3}",),
}  # fmt: skip


def write_data(name: str, reader: str, folder: Path) -> Path:
    """A dataset of some dozen noisy pictures, as the reader finds it."""
    folder.mkdir()
    if reader in {"fer2013", "ferplus"}:
        rows = [fer_row(row, FER_LABELS[row % 7], "Training", sadness=row % 4, happiness=6) for row in range(35)]
        return write_fer_table(folder / "fer.parquet", rows)
    if reader == "emoset":
        for split in ("train", "val"):
            names = [f"{emotion}_{split}_{number}" for emotion in ("awe", "fear", "anger") for number in range(4)]
            for number, name in enumerate(names):
                write(folder / f"image/{name}.jpg", jpeg(number))
            entries = [[name.partition("_")[0], name, f"image/{name}.jpg", f"{name}.json"] for name in names]
            write(folder / f"{split}.json", json.dumps(entries))
        return folder
    if reader == "csv" and name == "emoji-cnn":
        build(folder, write_packages(folder / "node_modules", *vendors()))
        return folder / "happy-sad.csv"
    if reader == "csv":
        for number in range(20):
            write(folder / f"{number}.jpg", jpeg(number))
        rows = [f"{number}.jpg,{number % 2},{number // 2 % 2}" for number in range(20)]
        return write(folder / "labels.csv", lines("image,tender,proud", *rows))
    if reader == "faces":
        photos = [face_row(seed, seed % 3) for seed in range(8)] + [face_row(seed, 1, "val") for seed in range(8, 10)]
        return write_face_table(folder / "faces.parquet", photos)
    return {"emotion6": write_emotion6, "imagefolder": write_folders}[reader](folder)


def random_weights(network: str, folder: Path) -> str:
    """A file as timm has them, so that a recipe may freeze them."""
    file = folder / "weights.safetensors"
    save_file(timm.create_model(network).state_dict(), file)
    return f"network.weights={file}"


@pytest.mark.parametrize("name", NETWORKS)
def test_it_trains_and_is_measured(name: str, tmp_path: Path) -> None:
    settings = ["optimisation.epochs=1", *SMALL.get(name, ("optimisation.batch_size=8",))]
    recipe = load_recipe(name, settings)
    stand_in = STAND_INS.get(getattr(recipe.network, "name", ""))
    if stand_in:
        weights = random_weights(stand_in, tmp_path)
        recipe = load_recipe(name, [*settings, f"network.name={stand_in}", "network.pretrained=false", weights])
    reader = getattr(recipe.data, "dataset", "faces")
    run = train(recipe, write_data(name, reader, tmp_path / "data"), tmp_path / "run")
    card = run.card()
    assert (card.name, card.version) == (recipe.name, recipe.version)
    assert card.limits
    [measured] = card.metrics.values()
    if isinstance(recipe, ClassifierRecipe):
        assert set(measured["per_class"]) == set(card.labels)


def test_multilabel_trains_with_its_own_network_at_its_own_size(tmp_path: Path) -> None:
    settings = ["network.pretrained=false", "optimisation.epochs=1", "optimisation.batch_size=4"]
    recipe = load_recipe("multilabel", settings)
    assert isinstance(recipe, ClassifierRecipe)
    assert (recipe.network.name, recipe.input.height, recipe.input.width) == ("resnetv2_50", 384, 384)
    data = write_data("multilabel", "csv", tmp_path / "data")
    data.write_text(lines(*data.read_text().splitlines()[:11]))  # two steps of four, and two pictures held out
    [measured] = train(recipe, data, tmp_path / "run").card().metrics.values()
    assert 0 <= measured["subset_accuracy"] <= 1
    assert set(measured["per_class"]) == {"tender", "proud"}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith("emotion6-")])
def test_emotion6s_real_annotations_give_divergence_and_correlation(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    table = (shared_data / "emotion6_ground_truth.txt").read_bytes()
    write(tmp_path / "data" / "ground_truth.txt", table)
    pictures = [line.split("\t")[0] for line in table.decode().splitlines()[1::30]]
    for number, picture in enumerate(pictures):
        path = tmp_path / "data" / "images" / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = np.random.default_rng(number).integers(0, 256, 3, dtype=np.uint8)
        Image.fromarray(np.broadcast_to(colour, (64, 64, 3))).save(path)
    network = load_recipe(name).network.name
    settings = ["network.pretrained=false", random_weights(network, tmp_path), "optimisation.epochs=1"]
    run = train(load_recipe(name, settings), tmp_path / "data", tmp_path / "run")
    [measured] = run.card().metrics.values()
    assert measured["kl"] > 0
    assert set(measured["pearson"]) == set(run.card().labels)
