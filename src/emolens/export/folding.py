"""Puts the normalisation of pixels into the first convolution, where it costs nothing at run time."""

from typing import Any, NamedTuple

import onnx
from numpy.typing import NDArray
from onnx.numpy_helper import to_array

from emolens.export.nodes import initialiser, own_initialiser, pads, replace_node, set_value, users


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
        set_value(division.weights, to_array(division.weights) / division.constant)
        _take_out(graph, division)
    subtraction = _step(graph, "Sub", "mean")
    if (
        subtraction
        and not pads(subtraction.convolution)
        and (bias := own_initialiser(graph, subtraction.convolution, 2))
    ):
        taken = (to_array(subtraction.weights) * subtraction.constant).sum(axis=(1, 2, 3))
        set_value(bias, to_array(bias) - taken)
        _take_out(graph, subtraction)


def _step(graph: onnx.GraphProto, operation: str, constant: str) -> _Step | None:
    nodes = [node for node in graph.node if node.op_type == operation and node.input[1] == constant]
    takers = [user for node in nodes for user in users(graph, node.output[0])]
    if not len(nodes) == len(takers) == 1 or takers[0].op_type != "Conv":
        return None
    weights, tensor = own_initialiser(graph, takers[0], 1), initialiser(graph, constant)
    if weights is None or tensor is None or tensor.dims[0] not in (1, weights.dims[1]):
        return None
    return _Step(nodes[0], to_array(tensor), takers[0], weights)


def _take_out(graph: onnx.GraphProto, step: _Step) -> None:
    step.convolution.input[0] = step.node.input[0]
    replace_node(graph, step.node)
