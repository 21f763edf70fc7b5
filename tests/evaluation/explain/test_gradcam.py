"""Grad-CAM finds where a network's features speak for a label, in every convolutional network that there is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pydantic import TypeAdapter  # noqa: E402
from torch import nn  # noqa: E402

from emolens.card import Input, ModelCard  # noqa: E402
from emolens.errors import ConfigError  # noqa: E402
from emolens.evaluation.explain.gradcam import TrainedNetwork, explain  # noqa: E402
from emolens.networks.base import Network  # noqa: E402
from emolens.networks.build import NetworkChoice  # noqa: E402
from emolens.networks.detector import FaceDetector  # noqa: E402
from emolens.training.cards import describe  # noqa: E402
from emolens.training.recipe import ClassifierRecipe, DetectorRecipe, Normalisation, load_recipe  # noqa: E402
from emolens.training.run import Run, write_weights  # noqa: E402

LABELS = ("happy", "sad")
CONVOLUTIONAL = [
    ("face_resnet", 1, 48), ("cnn48", 1, 48), ("custom_cnn", 3, 96), ("dlib_resnet", 1, 48), ("test_resnet", 3, 96),
    ("test_convnext", 3, 160), ("test_efficientnet", 3, 160),
]  # fmt: skip


def opened(network: Network, side: int, channels: int, temperature: float = 1.0) -> TrainedNetwork:
    size = Input(height=side, width=side, channels=channels)
    card = ModelCard(
        name="net", version="1", kind="face", labels=LABELS, objective="distribution", input=size,
        temperature=temperature,
    )  # fmt: skip
    return TrainedNetwork(network, card, Normalisation(mean=(0.0,) * channels, std=(1.0,) * channels))


def choose(name: str, channels: int, side: int) -> Network:
    torch.manual_seed(0)
    choice: Any = TypeAdapter(NetworkChoice).validate_python({"name": name})
    return choice.build(len(LABELS), channels, (side, side))


class CornerNetwork(Network):
    """Bright for happy in the upper right corner, for sad in the lower left one; halves the picture once."""

    def __init__(self) -> None:
        super().__init__()
        blur = nn.Conv2d(1, 1, 2, 2, bias=False)
        nn.init.constant_(blur.weight, 0.25)
        self.features = nn.Sequential(blur, nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 12, 2, bias=False))
        weights = torch.zeros(2, 12, 12)
        weights[0, :4, -4:], weights[1, -4:, :4] = 1, 1
        self.head[1].weight.data = weights.flatten(1)


@pytest.mark.parametrize(
    ("label", "rows", "columns"), [("happy", slice(8), slice(16, 24)), ("sad", slice(16, 24), slice(8))]
)
def test_the_map_is_strongest_where_the_label_is_read(label: str, rows: slice, columns: slice) -> None:
    crop = np.zeros((24, 24, 1), np.uint8)
    crop[rows, columns] = 255
    heat = explain(opened(CornerNetwork(), 24, 1), crop, label)
    assert heat.shape == (24, 24)
    assert heat.dtype == np.float32
    outside = heat.copy()
    outside[rows, columns] = 0
    assert heat[rows, columns].sum() > 5 * outside.sum()
    assert explain(opened(CornerNetwork(), 24, 1), crop).max() == heat.max()  # the label is the likeliest, too


@pytest.mark.parametrize(("name", "channels", "side"), CONVOLUTIONAL, ids=lambda value: str(value))
def test_every_convolutional_network_has_a_map(name: str, channels: int, side: int) -> None:
    model = opened(choose(name, channels, side), side, channels)
    crop = np.random.default_rng(0).integers(0, 256, (side, side, channels), dtype=np.uint8)
    maps = [explain(model, crop, label) for label in LABELS]
    assert all(heat.shape == (side, side) and np.isfinite(heat).all() and heat.min() >= 0 for heat in maps)
    assert any(heat.any() for heat in maps)


@pytest.mark.parametrize("name", ["test_vit", "swin_tiny_patch4_window7_224"])
def test_a_transformer_is_refused_with_a_line_that_names_occlusion(name: str) -> None:
    side = 32 if name == "test_vit" else 224
    model = opened(choose(name, 3, side), side, 3)
    with pytest.raises(ConfigError, match="occlusion"):
        explain(model, np.zeros((side, side, 3), np.uint8))


def test_probabilities_are_those_of_the_card() -> None:
    crop = np.full((1, 24, 24, 1), 255, np.uint8)
    crop[:, -8:, :8] = 250
    sharp, soft = (opened(CornerNetwork(), 24, 1, temperature).probabilities(crop)[0] for temperature in (1, 10))
    assert sharp.sum() == pytest.approx(1)
    assert sharp[0] > soft[0] > 0.5


@pytest.fixture
def run(tmp_path: Path) -> Run:
    recipe = load_recipe("face")
    assert isinstance(recipe, ClassifierRecipe)
    run = Run.start(tmp_path / "run", recipe, resume=False)
    torch.manual_seed(0)
    network = recipe.network.build(8, recipe.input.channels)
    run.finish(network, describe(recipe, temperature=3.0))
    run.checkpoint.parent.mkdir()
    write_weights(network.state_dict(), run.best)
    return run


def test_a_run_and_its_checkpoints_open_with_the_same_weights(run: Run) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    finished, checkpoint = TrainedNetwork.open(run.folder), TrainedNetwork.open(run.best)
    np.testing.assert_array_equal(explain(finished, crop, "sad"), explain(checkpoint, crop, "sad"))
    assert (finished.card.temperature, checkpoint.card.temperature) == (3.0, 1.0)


@pytest.mark.parametrize("name", ["recipe.yaml", "weights.safetensors", "card.json"])
def test_what_is_missing_of_a_run_is_named(run: Run, name: str) -> None:
    (run.folder / name).unlink()
    with pytest.raises(ConfigError, match=name if name != "card.json" else "not finished"):
        TrainedNetwork.open(run.folder)


def test_a_detectors_run_is_refused(tmp_path: Path) -> None:
    recipe = load_recipe("detector")
    assert isinstance(recipe, DetectorRecipe)
    run = Run.start(tmp_path / "run", recipe, resume=False)
    run.finish(FaceDetector(**recipe.network.model_dump()), describe(recipe))
    with pytest.raises(ConfigError, match="face detector"):
        TrainedNetwork.open(run.folder)
