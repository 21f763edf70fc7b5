"""Changing the nodes of a graph touches nothing else."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from emolens.export.nodes import attributes, pads, replace_node, set_attributes


def test_attributes_that_are_not_named_stay_and_may_be_empty() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2], group=1)
    node.attribute.append(helper.make_attribute("dilations", [], attr_type=7))
    set_attributes(node, strides=[1, 1], kernel_shape=[3, 3])
    assert attributes(node) == {"pads": [1] * 4, "strides": [1, 1], "group": 1, "kernel_shape": [3, 3], "dilations": []}


def test_a_convolution_pads_by_numbers_or_by_itself() -> None:
    assert pads(helper.make_node("Conv", ["x", "w"], ["y"], pads=[0, 0, 1, 0]))
    assert pads(helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER"))
    assert not pads(helper.make_node("Conv", ["x", "w"], ["y"], pads=[0, 0, 0, 0], auto_pad="NOTSET"))


def test_a_node_is_replaced_with_all_that_only_it_took() -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Neg", ["x"], ["negative"]),
            helper.make_node("Add", ["negative", "one"], ["sum"]),
            helper.make_node("Mul", ["x", "two"], ["double"]),
            helper.make_node("Div", ["sum", "double"], ["y"]),
        ],
        "replacing",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("y", "double")],
        [numpy_helper.from_array(np.float32([value]), name) for value, name in ((1, "one"), (2, "two"), (3, "free"))],
    )
    replace_node(graph, graph.node[3], helper.make_node("Abs", ["x"], ["y"]))
    assert [node.op_type for node in graph.node] == ["Mul", "Abs"]
    assert [tensor.name for tensor in graph.initializer] == ["two", "free"]
