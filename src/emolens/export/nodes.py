"""What the passes over an exported graph have in common: looking at its nodes, and changing them.

The exporter writes no bodies (`If`, `Loop`, `Scan`), so that what takes a tensor stands in the graph itself.
"""

from collections.abc import Iterable
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper
from onnx.numpy_helper import from_array


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Those that are set."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def set_attributes(node: onnx.NodeProto, **values: Any) -> None:
    """Changes these and leaves the others."""
    for attribute in [attribute for attribute in node.attribute if attribute.name in values]:
        node.attribute.remove(attribute)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in values.items())


def pads(convolution: onnx.NodeProto) -> bool:
    """Whether it looks at anything around the picture."""
    values = attributes(convolution)
    return values.get("auto_pad", b"NOTSET") != b"NOTSET" or any(values.get("pads", ()))


def users(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """The nodes that take a tensor."""
    return [node for node in graph.node if name in node.input]


def initialiser(graph: onnx.GraphProto, name: str) -> onnx.TensorProto | None:
    """The stored tensor of that name."""
    return next((tensor for tensor in graph.initializer if tensor.name == name), None)


def own_initialiser(graph: onnx.GraphProto, node: onnx.NodeProto, place: int) -> onnx.TensorProto | None:
    """The one that a node alone takes at that place; the exporter makes one of those that are alike."""
    name = node.input[place] if place < len(node.input) else ""
    return initialiser(graph, name) if len(users(graph, name)) == 1 else None


def add_initialiser(graph: onnx.GraphProto, name: str, value: NDArray[Any]) -> str:
    """Stores a tensor; gives its name."""
    graph.initializer.append(from_array(value, name))
    return name


def set_value(tensor: onnx.TensorProto, value: NDArray[Any]) -> None:
    """Also of another shape."""
    tensor.CopyFrom(from_array(value, tensor.name))


def replace_node(graph: onnx.GraphProto, old: onnx.NodeProto, *new: onnx.NodeProto) -> None:
    """Puts others, or none, in the place of a node, and takes out what only it has taken."""
    place, taken = list(graph.node).index(old), list(old.input)
    graph.node.remove(old)
    for offset, node in enumerate(new):
        graph.node.insert(place + offset, node)
    _remove_unused(graph, taken)


def _remove_unused(graph: onnx.GraphProto, names: Iterable[str]) -> None:
    """Takes out what gives these tensors, as far as nobody takes them."""
    for name in names:
        if users(graph, name) or name in {output.name for output in graph.output}:
            continue
        if tensor := initialiser(graph, name):
            graph.initializer.remove(tensor)
        for node in [node for node in graph.node if list(node.output) == [name]]:
            graph.node.remove(node)
            _remove_unused(graph, node.input)
