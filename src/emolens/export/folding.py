"""Puts the normalisation of pixels into the first convolution, where it costs nothing at run time."""

from typing import Any, NamedTuple

import onnx
from numpy.typing import NDArray
from onnx.numpy_helper import from_array, to_array


class _Step(NamedTuple):
    """A node that does something to all pixels by a constant, before a convolution whose weights are its own."""

    node: onnx.NodeProto
    constant: NDArray[Any]
    convolution: onnx.NodeProto
    weights: onnx.TensorProto


def fold_normalisation(graph: onnx.GraphProto) -> None:
    """Divides the weights by `std`, and lets the bias subtract `mean`; what does not fit stays as it is.

    The mean stays where the convolution pads: its zeros around a picture stand for the mean.
    """
    if division := _step(graph, "Div", "std"):
        _change(division.weights, to_array(division.weights) / division.constant)
        _take_out(graph, division)
    subtraction = _step(graph, "Sub", "mean")
    if subtraction and not _pads(subtraction.convolution) and (bias := _own(graph, subtraction.convolution, 2)):
        taken = (to_array(subtraction.weights) * subtraction.constant).sum(axis=(1, 2, 3))
        _change(bias, to_array(bias) - taken)
        _take_out(graph, subtraction)


def _step(graph: onnx.GraphProto, operation: str, constant: str) -> _Step | None:
    nodes = [node for node in graph.node if node.op_type == operation and node.input[1] == constant]
    users = [user for user in graph.node for node in nodes if node.output[0] in user.input]
    if not len(nodes) == len(users) == 1 or users[0].op_type != "Conv":
        return None
    weights = _own(graph, users[0], 1)
    value = next((to_array(tensor) for tensor in graph.initializer if tensor.name == constant), None)
    if weights is None or value is None or len(value) not in (1, weights.dims[1]):
        return None
    return _Step(nodes[0], value, users[0], weights)


def _own(graph: onnx.GraphProto, node: onnx.NodeProto, place: int) -> onnx.TensorProto | None:
    """The initialiser that a node alone takes at that place; the exporter makes one of those that are alike."""
    name = node.input[place] if place < len(node.input) else ""
    users = [user for user in graph.node if name in user.input]
    found = next((tensor for tensor in graph.initializer if tensor.name == name), None)
    return found if len(users) == 1 else None


def _pads(convolution: onnx.NodeProto) -> bool:
    values = {attribute.name: attribute for attribute in convolution.attribute}
    automatic = values["auto_pad"].s if "auto_pad" in values else b"NOTSET"
    return automatic != b"NOTSET" or ("pads" in values and any(values["pads"].ints))


def _change(tensor: onnx.TensorProto, value: NDArray[Any]) -> None:
    tensor.CopyFrom(from_array(value, tensor.name))


def _take_out(graph: onnx.GraphProto, step: _Step) -> None:
    unused = step.node.input[1]
    step.convolution.input[0] = step.node.input[0]
    graph.node.remove(step.node)
    graph.initializer.remove(next(tensor for tensor in graph.initializer if tensor.name == unused))
