"""Model files in 8 bits: smaller, with the same answers and card, or not written."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
from onnx import TensorProto, helper, numpy_helper

from emolens.card import Input, ModelCard
from emolens.errors import ModelError
from emolens.export.first_layers import REARRANGING
from emolens.export.formats import Format
from emolens.export.parity import check_parity
from emolens.export.quantise import quantise
from emolens.runtime import OnnxModel

CROPS = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1), dtype=np.uint8)
CARD = ModelCard(
    name="tiny",
    version="1",
    kind="face",
    labels=("happy", "sad", "angry"),
    objective="distribution",
    input=Input(height=16, width=16, channels=1),
    temperature=1.5,
)
WIDTH = 128


def write_source(path: Path, loudest: float = 1.0) -> Path:
    """A convolution whose first channel, `loudest` times as large, changes nothing in the answer."""
    random = np.random.default_rng(1)
    loudness = np.where(np.arange(WIDTH) == 0, loudest, 1.0)
    values = {
        "axes": np.array([2, 3]),
        "kernel": random.normal(0, 1 / 255, (WIDTH, 1, 9, 9)) * loudness[:, None, None, None],
        "bias": random.normal(0, 1, WIDTH) * loudness,
        "head": random.normal(0, 0.05, (WIDTH, 3)) * (loudness == 1)[:, None],
    }
    types = {"axes": np.int64}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["float"], "cast", to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["float"], ["pixels"], "transpose", perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["pixels", "kernel", "bias"], ["maps"], "conv"),
            helper.make_node("ReduceMax", ["maps", "axes"], ["features"], "pool", keepdims=0),
            helper.make_node("MatMul", ["features", "head"], ["logits"], "head"),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 16, 16, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(value.astype(types.get(name, np.float32)), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, CARD.to_metadata())
    onnx.save(model, path)
    return path


def test_8_bits_answer_as_the_source_does_from_less_of_a_file(tmp_path: Path) -> None:
    source = write_source(tmp_path / "source.onnx")
    quantise(source, CROPS, tmp_path / "new" / "small.onnx")
    exact, small = OnnxModel(source), OnnxModel(tmp_path / "new" / "small.onnx")
    np.testing.assert_allclose(small.probabilities(CROPS), exact.probabilities(CROPS), atol=0.05)
    assert small.path.stat().st_size < 0.5 * source.stat().st_size
    assert small.card == exact.card


@pytest.mark.parametrize(("name", "left_alone"), [(f"{REARRANGING}pixels", True), ("layer", False)])
def test_what_only_rearranges_pixels_keeps_its_numbers(tmp_path: Path, name: str, left_alone: bool) -> None:
    source = write_source(tmp_path / "source.onnx")
    model = onnx.load(source)
    model.graph.node[2].input[0] = "turned"
    model.graph.node.insert(2, helper.make_node("MatMul", ["pixels", "mirror"], ["turned"], name))
    model.graph.initializer.append(numpy_helper.from_array(np.eye(16, dtype=np.float32)[::-1].copy(), "mirror"))
    onnx.save(model, source)
    quantise(source, CROPS, tmp_path / "small.onnx")
    (product,) = (node for node in onnx.load(tmp_path / "small.onnx").graph.node if node.name.startswith(name))
    assert (list(product.input) == ["pixels", "mirror"]) == left_alone


def test_8_bits_that_change_the_answers_are_noticed(tmp_path: Path) -> None:
    # The other channels fall into one step of the range.
    source = write_source(tmp_path / "source.onnx", loudest=1e5)
    quantise(source, CROPS, tmp_path / "small.onnx")
    expected, found = (OnnxModel(path).probabilities(CROPS) for path in (source, tmp_path / "small.onnx"))
    with pytest.raises(ModelError, match=r"does not answer as the trained network: over 64 crops .* --format onnx"):
        check_parity(Format.onnx_int8, expected, found)
