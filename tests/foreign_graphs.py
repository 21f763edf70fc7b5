"""Tiny ONNX classifiers as others make them: floating point in, whatever they like out, no card."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

SIZE, LABELS = 6, ("angry", "happy", "sad")

End = Literal["logits", "Softmax", "Sigmoid", "divided"]


def foreign_graph(
    path: Path,
    shape: Sequence[int | str] = ("batch", 1, SIZE, SIZE),
    end: End = "logits",
    dtype: int = TensorProto.FLOAT,
    nodes: Callable[[str, str], list[NodeProto]] | None = None,
    change: Callable[[onnx.ModelProto], None] | None = None,
) -> Path:
    """Writes a linear classifier of `LABELS`, with all the names that a model file uses itself.

    Args:
        path: where to.
        shape: of the input, with names where any number goes.
        end: `divided` is a softmax without the operator of that name.
        dtype: of the input, the output and the weights.
        nodes: from the first name, of the input, to the second, of `(N, pixels)`; a `Flatten` unless given.
        change: to the finished model.
    """
    count = SIZE * SIZE * (3 if 3 in shape else 1)
    rng = np.random.default_rng(0)
    weights = {
        "mean": rng.normal(0, 4 / count**0.5, (count, len(LABELS))),
        "std": rng.normal(size=len(LABELS)),
        "two": np.array(2),
    }
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    ends = {
        "logits": [helper.make_node("Identity", ["answer"], ["image"])],
        "Softmax": [
            helper.make_node("Softmax", ["answer"], ["soft"]),
            helper.make_node("Identity", ["soft"], ["image"]),
        ],
        "Sigmoid": [helper.make_node("Sigmoid", ["answer"], ["image"])],
        "divided": [
            helper.make_node("Exp", ["answer"], ["exp"]),
            helper.make_node("ReduceSum", ["exp"], ["sum"], axes=[1]),
            helper.make_node("Div", ["exp", "sum"], ["image"]),
        ],
    }
    graph = helper.make_graph(
        [
            *(nodes or (lambda before, after: [helper.make_node("Flatten", [before], [after])]))("logits", "flat"),
            helper.make_node("MatMul", ["flat", "mean"], ["product"]),
            helper.make_node("Add", ["product", "std"], ["answer"]),
            *ends[end],
        ],
        "tiny",
        [helper.make_tensor_value_info("logits", dtype, shape)],
        [helper.make_tensor_value_info("image", dtype, [shape[0], len(LABELS)])],
        [numpy_helper.from_array(value.astype(kind), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    if change is not None:
        change(model)
    onnx.save(model, path)
    return path
