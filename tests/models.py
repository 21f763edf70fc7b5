"""Tiny model files for tests: a real ONNX classifier with a card, made in milliseconds and without torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emolens.card import ModelCard


def make_model_file(
    path: Path,
    labels: Sequence[str] = ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other"),
    size: int = 48,
    channels: int = 1,
    bias: Mapping[str, float] | None = None,
    **card: Any,
) -> Path:
    """Writes a linear classifier whose answer depends on every pixel; the same arguments give the same file.

    Args:
        path: where to.
        labels: of the card, one output each.
        size: the input's height and width.
        channels: 1 or 3.
        bias: added to the logits of these labels; 100 makes a label certain.
        **card: any other field of `ModelCard`, such as `kind`, `name`, `temperature`, `objective`, `crop`.

    Returns:
        `path`.
    """
    fields = {"name": path.stem, "version": "1", "kind": "face", "objective": "distribution", **card}
    box = {"height": size, "width": size, "channels": channels}
    metadata = ModelCard.model_validate({**fields, "labels": tuple(labels), "input": box}).to_metadata()
    return write_graph(path, size, channels, [(bias or {}).get(label, 0.0) for label in labels], metadata)


def write_graph(path: Path, size: int, channels: int, bias: Sequence[float], metadata: Mapping[str, str]) -> Path:
    """Writes the graph of `make_model_file` with any metadata, so that card and graph may disagree."""
    pixels, outputs = size * size * channels, len(bias)
    weights = np.random.default_rng(0).normal(0, 4 / pixels**0.5, (pixels, outputs)).astype(np.float32)
    weights -= weights.mean(axis=0)  # so that the pattern decides, and no label wins by brightness alone
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["pixels", "white"], ["scaled"]),
            helper.make_node("Flatten", ["scaled"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", size, size, channels])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", outputs])],
        [
            numpy_helper.from_array(np.float32(255).reshape(()), "white"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(bias, dtype=np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path
