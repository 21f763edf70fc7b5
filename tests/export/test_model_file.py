"""Writing model files: the graph agrees with the network, the card comes back, nothing of this machine is inside."""

import logging
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import pytest
import torch

from emolens.card import Input, ModelCard
from emolens.detect.own import OUTPUTS
from emolens.export.model_file import write_model_file
from emolens.export.source import Source
from emolens.networks.detector import FaceDetector
from emolens.networks.dlib_resnet import DlibResNet
from emolens.networks.face import FaceResNet
from emolens.runtime import OnnxModel
from emolens.session import open_session, run_session

Network = TypeVar("Network", bound=torch.nn.Module)

CARD = ModelCard(
    name="tiny",
    version="1",
    kind="face",
    labels=("happy", "sad", "angry"),
    objective="distribution",
    input=Input(height=48, width=48, channels=1),
)


@pytest.fixture(scope="module")
def network() -> FaceResNet:
    torch.manual_seed(0)
    return stirred(FaceResNet(3, widths=(8, 16), blocks=(1, 1)))


def stirred(network: Network) -> Network:
    """With batch norms that do something."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


@pytest.fixture(scope="module")
def written(network: FaceResNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "deep" / "tiny.onnx"
    write_model_file(Source(network, CARD, mean=[0.4], std=[0.2]), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 5])
def test_the_model_file_gives_what_the_network_gives_from_raw_pixels(
    network: FaceResNet, written: Path, count: int
) -> None:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)
    normalised = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.4) / 0.2
    with torch.inference_mode():
        expected = network(normalised).numpy()
    np.testing.assert_allclose(OnnxModel(written).logits(pixels), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_colour_channels_keep_a_mean_and_a_deviation_each(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceResNet(3, widths=(8, 16), blocks=(1, 1), channels=3).eval()
    card = CARD.model_copy(update={"input": Input(height=48, width=48, channels=3)})
    mean, std = [0.4, 0.5, 0.3], [0.2, 0.3, 0.1]
    write_model_file(Source(network, card, mean, std), tmp_path / "colour.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    normalised = (scaled - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    with torch.inference_mode():
        expected = network(normalised).numpy()
    np.testing.assert_allclose(OnnxModel(tmp_path / "colour.onnx").logits(pixels), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_nothing_is_divided_at_run_time(written: Path) -> None:
    assert "Div" not in {node.op_type for node in onnx.load(written).graph.node}


def maps_of(network: FaceDetector, path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What a network's file and the network itself give for one picture."""
    card = CARD.model_copy(update={"kind": "detector", "input": Input(height=None, width=None, channels=3)})
    source = Source(network, card, [0.5, 0.4, 0.6], [0.2, 0.3, 0.1])
    write_model_file(source, path)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 96, 64, 3), dtype=np.uint8)
    return run_session(open_session(path), OUTPUTS, {"image": pixels}, path), source.answers(pixels)


@pytest.mark.slow
def test_where_the_first_convolution_does_not_pad_nothing_is_subtracted_either(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "detector.onnx"
    for found, expected in zip(*maps_of(stirred(FaceDetector()), path), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    # Nor does anything have to be transposed, as it takes patches.
    assert not {"Div", "Sub", "Transpose"} & {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.slow
def test_a_network_that_enlarges_its_crops_begins_with_products_and_blocks(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = stirred(DlibResNet(3, resolution=104, blocks=1)), tmp_path / "enlarging.onnx"
    write_model_file(Source(network, CARD, mean=[0.4], std=[0.2]), path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), dtype=np.uint8)
    (expected,) = Source(network, CARD, mean=[0.4], std=[0.2]).answers(pixels)
    np.testing.assert_allclose(OnnxModel(path).logits(pixels), expected, rtol=1e-3, atol=1e-4)
    operations = [node.op_type for node in onnx.load(path).graph.node]
    assert "Resize" not in operations
    assert operations[: operations.index("Conv")][-3:] == ["MatMul", "MatMul", "SpaceToDepth"]


@pytest.mark.slow
def test_in_half_precision_it_enlarges_as_before(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source, path = Source(DlibResNet(3, resolution=104, blocks=1).eval(), CARD, [0.4], [0.2]), tmp_path / "half.onnx"
    write_model_file(source, path, half=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), dtype=np.uint8)
    np.testing.assert_allclose(OnnxModel(path).logits(pixels), source.answers(pixels)[0], atol=0.05)


@pytest.mark.slow
def test_a_bias_that_layers_have_in_common_is_left_to_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceDetector().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.constant_(module.bias, 0.5)
    for found, expected in zip(*maps_of(network, tmp_path / "detector.onnx"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_the_card_comes_back_as_it_was(written: Path) -> None:
    assert OnnxModel(written).card == CARD


@pytest.mark.slow
def test_weights_are_stored_as_they_are(written: Path) -> None:
    types = {tensor.data_type for tensor in onnx.load(written).graph.initializer if np.prod(tensor.dims) >= 256}
    assert types == {onnx.TensorProto.FLOAT}


@pytest.mark.slow
def test_the_logs_level_is_what_it_was(network: FaceResNet, tmp_path: Path) -> None:
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    write_model_file(Source(network, CARD, mean=[0.4], std=[0.2]), tmp_path / "tiny.onnx")
    assert logger.level == before


@pytest.mark.slow
def test_the_file_says_nothing_of_the_machine_that_wrote_it(written: Path) -> None:
    content = written.read_bytes()
    assert str(Path(__file__).parent.parent.parent).encode() not in content
    assert b"site-packages" not in content


@pytest.mark.slow
def test_no_partial_file_is_left_beside_it(written: Path) -> None:
    assert [path.name for path in written.parent.iterdir()] == [written.name]
