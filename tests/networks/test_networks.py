"""What every network promises: it trains, it leaves alone what is frozen, and it becomes a model file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pydantic import TypeAdapter  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from emolens.card import Input, ModelCard  # noqa: E402
from emolens.export.formats import Format  # noqa: E402
from emolens.export.model_file import write_model_file  # noqa: E402
from emolens.export.parity import check_parity  # noqa: E402
from emolens.export.source import Source  # noqa: E402
from emolens.networks.base import Network  # noqa: E402
from emolens.networks.build import NetworkChoice  # noqa: E402
from emolens.probability import calibrated  # noqa: E402
from emolens.runtime import OnnxModel  # noqa: E402

LABELS = ("happy", "sad", "angry")
OWN = [("face_resnet", 1, 48), ("cnn48", 1, 48), ("custom_cnn", 3, 64), ("dlib_resnet", 1, 48), ("emoji_cnn", 1, 48)]
SMALL = [("test_resnet", 1, 32), ("test_vit", 3, 32)]
LARGE = [
    ("resnet18", 3, 64), ("resnet34", 3, 64), ("resnet50", 3, 64), ("vgg16", 3, 64), ("efficientnet_b0", 3, 64),
    ("convnext_tiny", 3, 64), ("vit_base_patch16_224", 3, 64), ("resnetv2_50", 3, 64),
]  # fmt: skip
NETWORKS = [*OWN, *SMALL, *(pytest.param(large, marks=pytest.mark.slow) for large in LARGE)]


def choose(**keys: Any) -> Any:
    return TypeAdapter(NetworkChoice).validate_python(keys)


def state_of(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


@dataclass(frozen=True)
class Step:
    """A network after one training step, its state before, and what was frozen."""

    network: Network
    size: Input
    loss: float
    frozen: frozenset[str]
    moved: frozenset[str]


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda network: network[0])
def step(request: pytest.FixtureRequest) -> Step:
    name, channels, side = request.param
    torch.manual_seed(0)
    # No weights are read before `initialise`.
    network = choose(name=name, weights="any.safetensors", freeze="stages:1").build(3, channels, (side, side))
    before = state_of(network)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    loss = F.cross_entropy(network(torch.randn(4, channels, side, side)), torch.tensor([0, 1, 2, 0]))
    loss.backward()
    torch.optim.SGD(network.parameters(), lr=0.01).step()
    moved = frozenset(name for name, value in network.state_dict().items() if not torch.equal(value, before[name]))
    size = Input(height=side, width=side, channels=channels)
    return Step(network, size, loss.item(), frozenset(frozen), moved)


def test_a_step_has_a_finite_loss_and_moves_the_head_and_features(step: Step) -> None:
    assert np.isfinite(step.loss)
    assert any(name.startswith("head.") for name in step.moved)
    assert any(name.startswith("features.") for name in step.moved)


def test_frozen_weights_and_their_statistics_stay(step: Step) -> None:
    assert step.frozen
    assert not step.frozen & step.moved
    norms = {name.rpartition(".")[0] for name in step.moved if name.endswith("running_mean")}
    assert not norms & {name.rpartition(".")[0] for name in step.frozen}


def test_the_model_file_gives_what_the_network_gives(step: Step, tmp_path: Path) -> None:
    for parameter in step.network.parameters():
        if parameter.ndim > 1:  # as they begin, some networks answer nearly the same to every picture
            torch.nn.init.kaiming_normal_(parameter)
    card = ModelCard(name="any", version="1", kind="face", labels=LABELS, objective="distribution", input=step.size)
    channels, side = step.size.channels, step.size.height
    source = Source(step.network, card, [0.5] * channels, [0.25] * channels)
    write_model_file(source, tmp_path / "any.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (3, side, side, channels), dtype=np.uint8)
    with torch.inference_mode():
        expected = step.network.eval()((torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25).numpy()
    found = OnnxModel(tmp_path / "any.onnx", threads=1).logits(pixels)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.std(axis=0).max())
    # Of random weights the answers are of any size.
    scaled = card.model_copy(update={"temperature": float(expected.std())})
    assert check_parity(Format.onnx, calibrated(expected, scaled), calibrated(found, scaled)).agreement == 1


def test_every_network_of_ours_is_among_them() -> None:
    choices = [choice for choice in get_args(get_args(NetworkChoice)[0]) if "pretrained" not in choice.model_fields]
    names = {name for choice in choices for name in get_args(choice.model_fields["name"].annotation)}
    assert names == {name for name, *_ in OWN}
