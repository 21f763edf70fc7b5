"""Puts a trained network into a model file."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray

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
    _fold_normalisation(graph)
    save_model(graph, source.card, path)


def _fold_normalisation(graph: onnx.ModelProto) -> None:
    """Moves the normalisation of all pixels into the first convolution's weights and, where it does not pad, its bias.

    Zeros around a picture are to stay zeros: they stand for the mean.
    """
    constants = {tensor.name: tensor for tensor in graph.graph.initializer}
    for operation, name in (("Div", "std"), ("Sub", "mean")):
        steps = [node for node in graph.graph.node if node.op_type == operation and node.input[1] == name]
        users = [node for node in graph.graph.node for step in steps if step.output[0] in node.input]
        if not len(steps) == len(users) == 1 or users[0].op_type != "Conv" or users[0].input[1] not in constants:
            return
        (step,), (convolution,) = steps, users
        kernel, constant = (onnx.numpy_helper.to_array(constants[part]) for part in (convolution.input[1], name))
        if len(constant) not in (1, kernel.shape[1]):
            return
        if operation == "Div":
            _change(constants[convolution.input[1]], kernel / constant)
        elif len(convolution.input) < 3 or _pads(convolution):
            return
        else:
            bias = constants[convolution.input[2]]
            _change(bias, onnx.numpy_helper.to_array(bias) - (kernel * constant).sum(axis=(1, 2, 3)))
        convolution.input[0] = step.input[0]
        graph.graph.node.remove(step)
        graph.graph.initializer.remove(constants[name])


def _pads(convolution: onnx.NodeProto) -> bool:
    return any(any(attribute.ints) for attribute in convolution.attribute if attribute.name == "pads")


def _change(tensor: onnx.TensorProto, value: NDArray[Any]) -> None:
    tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))


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
