"""What the passes over an exported graph have in common: looking at its nodes, and changing them."""

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx.helper import get_attribute_value
from onnx.numpy_helper import from_array


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Those that are set."""
    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def set_attributes(node: onnx.NodeProto, **values: Any) -> None:
    """Changes these and leaves the others."""
    node_attributes = attributes(node) | values
    node.ClearField("attribute")
    node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in node_attributes.items())


def users(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """The nodes that take a tensor."""
    return [node for node in graph.node if name in node.input]


def initialiser(graph: onnx.GraphProto, name: str) -> onnx.TensorProto | None:
    """The stored tensor of that name."""
    return next((tensor for tensor in graph.initializer if tensor.name == name), None)


def own(graph: onnx.GraphProto, node: onnx.NodeProto, place: int) -> onnx.TensorProto | None:
    """The initialiser that a node alone takes at that place; the exporter makes one of those that are alike."""
    name = node.input[place] if place < len(node.input) else ""
    return initialiser(graph, name) if len(users(graph, name)) == 1 else None


def pads(convolution: onnx.NodeProto) -> bool:
    values = attributes(convolution)
    return values.get("auto_pad", b"NOTSET") != b"NOTSET" or any(values.get("pads", ()))


def change(tensor: onnx.TensorProto, value: NDArray[Any]) -> None:
    tensor.CopyFrom(from_array(value, tensor.name))


def add(graph: onnx.GraphProto, name: str, value: NDArray[Any]) -> str:
    """Stores a tensor; gives its name."""
    graph.initializer.append(from_array(value, name))
    return name


def insert_before(graph: onnx.GraphProto, node: onnx.NodeProto, *added: onnx.NodeProto) -> None:
    place = list(graph.node).index(node)
    for offset, one in enumerate(added):
        graph.node.insert(place + offset, one)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Takes out the nodes, and then the initialisers, whose results nobody takes."""
    outputs = {output.name for output in graph.output}
    while unused := [n for n in graph.node if not any(name in outputs or users(graph, name) for name in n.output)]:
        for node in unused:
            graph.node.remove(node)
    for tensor in [tensor for tensor in graph.initializer if not users(graph, tensor.name)]:
        graph.initializer.remove(tensor)
