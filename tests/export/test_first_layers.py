"""First layers written for speed: the same answers, and graphs that do not fit left as they are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, helper, numpy_helper

from emolens.export.first_layers import interpolate_by_products, read_rows, space_to_depth
from emolens.session import open_session

Pass = Callable[[onnx.GraphProto], None]

RANDOM = np.random.default_rng(0)


def graph_of(
    taken: onnx.ValueInfoProto, nodes: Sequence[NodeProto], values: dict[str, np.ndarray], size: Sequence[int | str]
) -> onnx.ModelProto:
    """A graph that ends in `answer`, with the size of `pixels` noted as the exporter does."""
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "first layers",
            [taken],
            [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in values.items()],
            value_info=[helper.make_tensor_value_info("pixels", TensorProto.FLOAT, size)],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    return onnx.shape_inference.infer_shapes(model)


def floats(size: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info("pixels", TensorProto.FLOAT, size)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """With half as many bits wherever there were 32."""
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
    return model


def kernel(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def answer(model: onnx.ModelProto, **fed: np.ndarray) -> np.ndarray:
    found: np.ndarray = open_session("graph", "cpu", content=model.SerializeToString()).run(["answer"], fed)[0]
    return found


def assert_same_answers(before: onnx.ModelProto, apply: Pass, **fed: np.ndarray) -> set[str]:
    """That the pass changes the graph and no answer; gives the operations that are left."""
    after = onnx.ModelProto()
    after.CopyFrom(before)
    apply(after.graph)
    assert after != before
    after.graph.ClearField("value_info")  # as `save_model` does
    onnx.checker.check_model(after, full_check=True)
    np.testing.assert_allclose(answer(after, **fed), answer(before, **fed), rtol=1e-4, atol=1e-4)
    return {node.op_type for node in after.graph.node}


def assert_left_alone(model: onnx.ModelProto, apply: Pass) -> None:
    before = model.SerializeToString()
    apply(model.graph)
    assert model.SerializeToString() == before


def enlarging(height: int, width: int, to: tuple[int, int], channels: int = 1, **how: Any) -> onnx.ModelProto:
    how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", **how}
    return graph_of(
        floats(["N", channels, height, width]),
        [
            helper.make_node("Shape", ["pixels"], ["stays"], "shape", end=2),
            helper.make_node("Concat", ["stays", "sides"], ["size"], "concat", axis=0),
            helper.make_node("Resize", ["pixels", "", "", "size"], ["answer"], "resize", **how),
        ],
        {"sides": np.array(to)},
        ["N", channels, height, width],
    )


def noting_the_answer(model: onnx.ModelProto, *size: int | str) -> onnx.ModelProto:
    model.graph.value_info.append(helper.make_tensor_value_info("answer", TensorProto.FLOAT, size))
    return model


@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3]))
def test_products_interpolate_as_resizing_does(height: int, width: int, tall: int, wide: int, channels: int) -> None:
    model = noting_the_answer(enlarging(height, width, (tall, wide), channels), "N", channels, tall, wide)
    pixels = np.random.default_rng(height).random((2, channels, height, width), np.float32)
    left = assert_same_answers(model, interpolate_by_products, pixels=pixels)
    assert left == {"MatMul"}


@pytest.mark.parametrize(
    "how",
    [
        {"mode": "nearest"},
        {"coordinate_transformation_mode": "align_corners"},
        {"antialias": 1},
        {"keep_aspect_ratio_policy": "not_larger", "axes": [2, 3]},
    ],
    ids=["nearest", "corners", "antialias", "aspect"],
)
def test_other_ways_to_resize_stay(how: dict[str, Any]) -> None:
    model = noting_the_answer(enlarging(8, 8, (16, 16), **how), "N", 1, 16, 16)
    assert_left_alone(model, interpolate_by_products)


def test_resizing_by_a_factor_stays() -> None:
    resize = helper.make_node("Resize", ["pixels", "", "factors"], ["answer"], "resize", mode="linear")
    size = ["N", 1, 8, 8]
    model = graph_of(floats(size), [resize], {"factors": np.array([1, 1, 2, 2], np.float32)}, size)
    assert_left_alone(noting_the_answer(model, "N", 1, 16, 16), interpolate_by_products)


def test_resizing_over_channels_too_stays() -> None:
    assert_left_alone(noting_the_answer(enlarging(8, 8, (16, 16)), "N", 2, 16, 16), interpolate_by_products)


def test_resizing_in_half_precision_stays() -> None:
    model = noting_the_answer(enlarging(8, 8, (16, 16)), "N", 1, 16, 16)
    assert_left_alone(halved(model), interpolate_by_products)


def test_what_others_take_of_a_size_stays() -> None:
    model = noting_the_answer(enlarging(8, 8, (16, 16)), "N", 1, 16, 16)
    model.graph.output.append(helper.make_tensor_value_info("size", TensorProto.INT64, [4]))
    pixels = RANDOM.random((2, 1, 8, 8), np.float32)
    assert assert_same_answers(model, interpolate_by_products, pixels=pixels) == {"MatMul", "Shape", "Concat"}


def test_large_pictures_are_resized_as_before() -> None:
    assert_left_alone(noting_the_answer(enlarging(65, 65, (80, 80)), "N", 1, 80, 80), interpolate_by_products)


def test_pictures_of_any_size_are_resized_as_before() -> None:
    model = noting_the_answer(enlarging(8, 8, (16, 16)), "N", 1, "h", "w")
    assert_left_alone(model, interpolate_by_products)


def convolving(
    weights: np.ndarray, height: int, width: int, nodes: Sequence[NodeProto] = (), channels: int = 0, **how: Any
) -> onnx.ModelProto:
    size: list[int | str] = ["N", channels or weights.shape[1], height, width]
    how = {"strides": [2, 2], "kernel_shape": weights.shape[2:], **how}
    convolution = helper.make_node("Conv", ["pixels", "weights", "bias"], ["answer"], "conv", **how)
    values = {"weights": weights, "bias": kernel(len(weights))}
    return graph_of(floats(size), [convolution, *nodes], values, size)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(4, 12), st.integers(4, 12))
def test_blocks_of_pixels_as_channels_give_the_same_convolution(tall: int, wide: int, rows: int, columns: int) -> None:
    model = convolving(kernel(5, 1, tall, wide), 2 * rows, 2 * columns)
    pixels = np.random.default_rng(tall).random((2, 1, 2 * rows, 2 * columns), np.float32)
    assert assert_same_answers(model, space_to_depth, pixels=pixels) == {"SpaceToDepth", "Conv"}


def test_two_convolutions_over_one_picture_are_rearranged() -> None:
    second = helper.make_node("Conv", ["pixels", "others"], ["other"], "second", strides=[2, 2], kernel_shape=[3, 3])
    model = convolving(kernel(4, 1, 3, 3), 8, 8, [second])
    model.graph.initializer.append(numpy_helper.from_array(kernel(2, 1, 3, 3), "others"))
    model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, ["N", 2, 3, 3]))
    pixels = RANDOM.random((2, 1, 8, 8), np.float32)
    assert assert_same_answers(model, space_to_depth, pixels=pixels) == {"SpaceToDepth", "Conv"}


@pytest.mark.parametrize(
    "model",
    [
        convolving(kernel(4, 1, 3, 3), 9, 8),
        convolving(kernel(4, 3, 3, 3), 8, 8),
        convolving(kernel(4, 1, 3, 3), 8, 8, pads=[1, 1, 1, 1]),
        convolving(kernel(4, 1, 3, 3), 8, 8, auto_pad="SAME_UPPER"),
        convolving(kernel(4, 1, 3, 3), 8, 8, strides=[1, 1]),
        convolving(kernel(4, 1, 3, 3), 8, 8, dilations=[2, 2]),
        convolving(kernel(4, 1, 3, 3), 8, 8, channels=4, group=4),
        halved(convolving(kernel(4, 1, 3, 3), 8, 8)),
    ],
    ids=["odd", "colour", "pads", "pads itself", "every place", "dilated", "depthwise", "half"],
)
def test_other_convolutions_stay(model: onnx.ModelProto) -> None:
    assert_left_alone(model, space_to_depth)


def test_weights_that_two_layers_have_in_common_stay() -> None:
    second = helper.make_node("Conv", ["pixels", "weights"], ["unused"], "second", strides=[2, 2])
    assert_left_alone(convolving(kernel(4, 1, 3, 3), 8, 8, [second]), space_to_depth)


def patching(weights: np.ndarray, perm: Sequence[int] = (0, 3, 1, 2), **how: Any) -> onnx.ModelProto:
    count, channels, *sides = weights.shape
    how = {"strides": sides, "kernel_shape": sides, **how}
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], "turn", perm=perm),
        helper.make_node("Cast", ["turned"], ["pixels"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Conv", ["pixels", "weights", "bias"], ["answer"], "conv", **how),
    ]
    taken = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "h", "w", channels])
    return graph_of(taken, nodes, {"weights": weights, "bias": kernel(count)}, ["N", channels, "h", "w"])


@given(st.sampled_from([1, 3]), st.integers(1, 5), st.integers(1, 5), st.integers(5, 20), st.integers(5, 20))
def test_rows_as_they_lie_in_memory_give_the_same_patches(
    channels: int, tall: int, wide: int, height: int, width: int
) -> None:
    image = np.random.default_rng(tall).integers(0, 256, (2, height, width, channels), dtype=np.uint8)
    left = assert_same_answers(patching(kernel(4, channels, tall, wide) / 255), read_rows, image=image)
    assert "Transpose" not in left


def test_a_graph_of_a_fixed_width_still_takes_no_picture_at_all() -> None:
    model = patching(kernel(4, 3, 4, 4))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 8
    assert_same_answers(model, read_rows, image=np.zeros((0, 8, 8, 3), np.uint8))


def with_another_user(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    model.graph.node.append(helper.make_node("Shape", [name], ["unused"], "another"))
    return model


def with_a_step_between(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[2].input[0] = "negative"
    model.graph.node.insert(2, helper.make_node("Neg", ["pixels"], ["negative"], "between"))
    return model


@pytest.mark.parametrize(
    "model",
    [
        patching(kernel(4, 3, 4, 4), strides=[2, 2]),
        patching(kernel(4, 3, 4, 4), pads=[1, 1, 1, 1]),
        patching(kernel(4, 3, 4, 4), perm=[0, 3, 2, 1]),
        with_another_user(patching(kernel(4, 3, 4, 4)), "image"),
        with_another_user(patching(kernel(4, 3, 4, 4)), "turned"),
        with_another_user(patching(kernel(4, 3, 4, 4)), "pixels"),
        with_another_user(patching(kernel(4, 3, 4, 4)), "weights"),
        with_a_step_between(patching(kernel(4, 3, 4, 4))),
    ],
    ids=["overlapping", "pads", "turned", "image", "turned twice", "pixels", "weights", "a step between"],
)
def test_other_first_layers_stay(model: onnx.ModelProto) -> None:
    assert_left_alone(model, read_rows)
