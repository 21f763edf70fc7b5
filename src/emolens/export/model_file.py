"""Puts a trained network into a model file."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch

from emolens.export.container import save_model
from emolens.export.source import Source

OPSET = 20


def write_model_file(source: Source, path: Path, half: bool = False) -> None:
    """Writes a model file, whole or not at all.

    Args:
        source: what to write.
        path: of the `.onnx` file.
        half: weights and calculations in float16, which graphics processors are fast at.
    """
    dynamic: dict[int, torch.export.Dim] = {0: torch.export.Dim("N", min=1)}
    if source.card.input.height is None:
        # Detectors halve the picture five times, so that only multiples of 32 can be traced.
        dynamic |= {1: 32 * torch.export.Dim("h", min=1, max=512), 2: 32 * torch.export.Dim("w", min=1, max=512)}
    with quiet_exporter():
        program = torch.onnx.export(
            source.halved() if half else source.graph,
            (source.example(),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(source.outputs),
            dynamic_shapes=(dynamic,),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    _fold_division(graph)
    save_model(graph, source.card, path)


def _fold_division(graph: onnx.ModelProto) -> None:
    """Divides the first convolution's weights by `std` instead of all pixels; zeros around the picture stay zeros."""
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    divisions = [node for node in graph.graph.node if node.op_type == "Div" and node.input[1] == "std"]
    users = [node for node in graph.graph.node for division in divisions if division.output[0] in node.input]
    if not (len(divisions) == len(users) == 1 and users[0].op_type == "Conv" and users[0].input[1] in weights):
        return
    (division,), (convolution,) = divisions, users
    weight, std = weights[convolution.input[1]], weights["std"]
    if weight.dims[1] != std.dims[0]:
        return
    folded = onnx.numpy_helper.to_array(weight) / onnx.numpy_helper.to_array(std)
    weight.CopyFrom(onnx.numpy_helper.from_array(folded, weight.name))
    convolution.input[0] = division.input[0]
    graph.graph.node.remove(division)
    graph.graph.initializer.remove(std)


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Without what the exporter says of its own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
