"""Tiny model files that take features, and a tiny embedding network: real ONNX, made in milliseconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emolens.card import ModelCard


def make_feature_model(
    path: Path, features: dict[str, Any], width: int, labels: Sequence[str] = ("happy", "sad", "neutral"), **card: Any
) -> Path:
    """Writes a linear classifier of `width` features; `card` is any other field of `ModelCard`."""
    weights = np.random.default_rng(0).normal(0, 1, (width, len(labels))).astype(np.float32)
    fields = {"name": path.stem, "version": "1", "kind": "face", "objective": "distribution", **card}
    fields = {"input": {"height": 48, "width": 48, "channels": 1}, **fields}
    about = ModelCard.model_validate({**fields, "labels": tuple(labels), "features": features})
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "weights"], ["logits"])],
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(labels)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    _save(graph, path, about.to_metadata())
    return path


def make_embedding_network(
    path: Path, side: int = 24, size: int = 16, batch: int | str = 1, first: bool = True
) -> Path:
    """Writes a network from RGB faces to vectors: the mean over squares, then a linear layer.

    Args:
        path: where to.
        side: of its input, a multiple of 8.
        size: of its vectors.
        batch: how many faces it takes at once, or a name for any number.
        first: whether channels stand before height and width.
    """
    shape = [batch, 3, side, side] if first else [batch, side, side, 3]
    weights = np.random.default_rng(1).normal(0, 1, (3 * 64, size)).astype(np.float32)
    turn = [] if first else [helper.make_node("Transpose", ["faces"], ["turned"], perm=[0, 3, 1, 2])]
    stride = [side // 8] * 2
    nodes = [
        *turn,
        helper.make_node(
            "AveragePool", ["faces" if first else "turned"], ["pooled"], kernel_shape=stride, strides=stride
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["vectors"]),
    ]
    graph = helper.make_graph(
        nodes,
        "embedding",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [batch, size])],
        [numpy_helper.from_array(weights, "weights")],
    )
    _save(graph, path, {})
    return path


def _save(graph: onnx.GraphProto, path: Path, metadata: dict[str, str]) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
