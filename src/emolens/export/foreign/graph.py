"""Surgery on a foreign graph: pixels to what it takes in front, from what it gives to logits behind."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from emolens.card import Input
from emolens.export.foreign.about import About, Layout, Objective
from emolens.export.foreign.onnx_file import inputs_of, opset_of, subgraphs
from emolens.export.nodes import attributes
from emolens.probability import sigmoid, softmax

# No name of the foreign graph is one of ours, since all of its names begin with this.
_PREFIX = "foreign/"
# Under any probability that matters, and with a logarithm that float32 holds.
_FLOOR = 1e-30

_Step = tuple[str, list[str], dict[str, Any]]
"""An operator, its inputs after the first, and its attributes."""

ENDS: dict[Objective, str] = {"distribution": "Softmax", "multilabel": "Sigmoid"}


def last_operator(model: onnx.ModelProto) -> str | None:
    """`Softmax` or `Sigmoid` where the graph ends in one of them."""
    node = _last_node(model)
    return None if node is None else node.op_type


def before_end(foreign: onnx.ModelProto, objective: Objective) -> onnx.ModelProto:
    """The same graph without the operator of this objective that ends it: it gives what goes in there."""
    model = onnx.ModelProto()
    model.CopyFrom(foreign)
    kind = model.graph.output[0].type.tensor_type.elem_type
    answer = _cut_end(model, ENDS[objective])
    model.graph.ClearField("output")
    model.graph.output.append(helper.make_tensor_value_info(answer, kind, None))
    return model


def prepare(crops: NDArray[np.uint8], layout: Layout, about: About) -> NDArray[np.float32]:
    """`(N, H, W, C)` crops as the foreign model wants them: what the nodes in front of it do, in numpy."""
    scaled = (crops / 255 - np.array(about.mean)) / np.array(about.std)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2) if layout == "nchw" else scaled, dtype=np.float32)


def to_probabilities(answers: NDArray[np.float32], objective: Objective) -> NDArray[np.float32]:
    """What logits stand for."""
    return softmax(answers) if objective == "distribution" else sigmoid(answers)


def wrap(
    foreign: onnx.ModelProto, about: About, layout: Layout, size: Input, *, from_probabilities: bool
) -> onnx.ModelProto:
    """Makes a model file's graph of a foreign one.

    Args:
        foreign: a checked graph with one input and one output; it stays as it is.
        about: normalisation and labels.
        layout: of what it takes.
        size: of what it takes.
        from_probabilities: it gives such although no softmax ends it; their logarithms are logits then.

    Returns:
        A graph from `image`, `(N, H, W, C)` uint8, to `logits`, `(N, L)` float32.
    """
    model = onnx.ModelProto()
    model.CopyFrom(foreign)
    model.ClearField("training_info")
    # Since this version, weights need not be listed as inputs.
    model.ir_version = max(model.ir_version, 4)
    taken, answer = inputs_of(model.graph)[0], _cut_end(model, ENDS[about.objective])
    graph = model.graph
    _rename(graph)
    behind = _steps_behind(_PREFIX + answer, from_probabilities)
    nodes = [*_steps_in_front(taken, about, layout), *graph.node, *behind]
    constants = {"mean": 255 * np.array(about.mean), "std": 255 * np.array(about.std), "floor": np.array(_FLOOR)}
    used = {name for node in nodes for name in node.input}
    graph.initializer.extend(
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items() if name in used
    )
    for field in ("node", "input", "output", "value_info"):
        graph.ClearField(field)
    graph.node.extend(nodes)
    shape = ["N", size.height, size.width, size.channels]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, shape))
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(about.labels)]))
    return model


def _last_node(model: onnx.ModelProto) -> onnx.NodeProto | None:
    """The softmax over the labels, or the sigmoid, that gives the output."""
    makers = {name: node for node in model.graph.node for name in node.output}
    node = makers.get(model.graph.output[0].name)
    while node is not None and node.op_type == "Identity":
        node = makers.get(node.input[0])
    if node is None or node.op_type not in ENDS.values():
        return None
    default = -1 if opset_of(model) >= 13 else 1
    axis = attributes(node).get("axis", default)
    return node if node.op_type == "Sigmoid" or axis in (1, -1) else None


def _cut_end(model: onnx.ModelProto, operator: str) -> str:
    """Takes what ends the graph off, if it is this operator; the name of the value that is the answer then."""
    graph, end = model.graph, _last_node(model)
    answer: str = graph.output[0].name
    if end is None or end.op_type != operator:
        return answer
    while answer != end.input[0]:
        node = next(node for node in graph.node if answer in node.output)
        if not any(answer in other.input for other in graph.node):
            graph.node.remove(node)
        answer = node.input[0]
    return answer


def _steps_in_front(taken: onnx.ValueInfoProto, about: About, layout: Layout) -> list[onnx.NodeProto]:
    steps: list[_Step] = [("Cast", [], {"to": TensorProto.FLOAT})]
    if any(about.mean):
        steps.append(("Sub", ["mean"], {}))
    steps.append(("Div", ["std"], {}))
    if layout == "nchw":
        steps.append(("Transpose", [], {"perm": [0, 3, 1, 2]}))
    if taken.type.tensor_type.elem_type != TensorProto.FLOAT:
        steps.append(("Cast", [], {"to": taken.type.tensor_type.elem_type}))
    return _chain("image", steps, taken.name)


def _steps_behind(answer: str, from_probabilities: bool) -> list[onnx.NodeProto]:
    steps: list[_Step] = [("Cast", [], {"to": TensorProto.FLOAT})]
    if from_probabilities:
        steps += [("Add", ["floor"], {}), ("Log", [], {})]
    return _chain(answer, steps, "logits")


def _chain(start: str, steps: list[_Step], end: str) -> list[onnx.NodeProto]:
    """Nodes one after the other, from one value to another."""
    names = [start, *(f"{end}/{number}" for number in range(1, len(steps))), end]
    return [
        helper.make_node(operator, [before, *others], [after], **attributes)
        for (operator, others, attributes), before, after in zip(steps, names, names[1:], strict=False)
    ]


def _rename(graph: onnx.GraphProto) -> None:
    """Puts the prefix before every name; `onnx.compose` would leave out weights that bodies of nodes refer to."""
    for node in graph.node:
        node.name = node.name and _PREFIX + node.name
        node.input[:] = [name and _PREFIX + name for name in node.input]
        node.output[:] = [name and _PREFIX + name for name in node.output]
        for body in subgraphs(node):
            _rename(body)
    sparse = (one.values for one in graph.sparse_initializer)
    for part in (*graph.input, *graph.output, *graph.initializer, *graph.value_info, *sparse):
        part.name = _PREFIX + part.name
