"""What others made becomes a model file with the same answers, or is refused in a line that says why."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from emolens.errors import ConfigError, EmolensError, ModelError
from emolens.export.foreign.about import About
from emolens.export.foreign.importing import import_model
from emolens.probability import sigmoid, softmax
from emolens.runtime import OnnxModel
from foreign_graphs import LABELS, SIZE, foreign_graph

ABOUT = About(labels=LABELS)
NHWC = ("batch", SIZE, SIZE, 1)


def crops(count: int = 5, channels: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE, channels), dtype=np.uint8)


def foreign_answers(path: Path, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path)
    return np.concatenate([session.run(None, {"logits": one[None]})[0] for one in pixels])


def imported(path: Path, about: About = ABOUT) -> OnnxModel:
    out = path.with_name("imported.onnx")
    card = import_model(path, about, out)
    model = OnnxModel(out, "cpu")
    assert model.card == card
    return model


def refusal(path: Path, about: About = ABOUT, error: type[EmolensError] = ModelError) -> str:
    out = path.with_name("refused.onnx")
    with pytest.raises(error) as raised:
        import_model(path, about, out)
    assert not out.exists()
    message = str(raised.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_logits_of_channels_first_stay_as_they_are(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx")
    expected = foreign_answers(path, (crops() / 255).transpose(0, 3, 1, 2).astype(np.float32))
    np.testing.assert_allclose(imported(path).logits(crops()), expected, atol=1e-5)


def test_channels_last_are_not_transposed(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", ("batch", SIZE, SIZE, 3))
    expected = foreign_answers(path, (crops(channels=3) / 255).astype(np.float32))
    np.testing.assert_allclose(imported(path).logits(crops(channels=3)), expected, atol=1e-5)


def test_each_channel_is_normalised_with_its_own_mean_and_deviation(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", ("batch", 3, SIZE, SIZE))
    about = About(labels=LABELS, mean=(0.4, 0.5, 0.3), std=(0.2, 0.3, 0.1))
    pixels = ((crops(channels=3) / 255 - about.mean) / about.std).transpose(0, 3, 1, 2).astype(np.float32)
    np.testing.assert_allclose(
        imported(path, about).logits(crops(channels=3)), foreign_answers(path, pixels), atol=1e-4
    )


@pytest.mark.parametrize("end", ["Softmax", "divided"])
def test_probabilities_come_back_as_they_were(tmp_path, end):
    path = foreign_graph(tmp_path / "theirs.onnx", NHWC, end)
    model = imported(path)
    expected = foreign_answers(path, (crops() / 255).astype(np.float32))
    np.testing.assert_allclose(model.probabilities(crops()), expected, atol=1e-6)


def test_a_softmax_at_the_end_is_taken_off_rather_than_undone(tmp_path):
    model = imported(foreign_graph(tmp_path / "theirs.onnx", end="Softmax"))
    assert not {"Softmax", "Log"} & {node.op_type for node in onnx.load(model.path).graph.node}


def test_a_probability_of_zero_has_a_logit(tmp_path):
    def make_certain(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tensor.name == "std":
                tensor.CopyFrom(numpy_helper.from_array(np.array([85, -85, 0], np.float32), "std"))

    model = imported(foreign_graph(tmp_path / "theirs.onnx", end="divided", change=make_certain))
    np.testing.assert_allclose(model.probabilities(crops())[:, :2], [[1, 0]] * 5, atol=1e-6)


def test_sigmoids_stand_for_several_labels_at_once(tmp_path):
    about = About(labels=LABELS, objective="multilabel")
    path = foreign_graph(tmp_path / "theirs.onnx", NHWC, end="Sigmoid")
    model = imported(path, about)
    expected = foreign_answers(path, (crops() / 255).astype(np.float32))
    np.testing.assert_allclose(model.probabilities(crops()), expected, atol=1e-6)
    np.testing.assert_allclose(sigmoid(model.logits(crops())), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("end", "objective", "said"), [("Sigmoid", "distribution", "multilabel"), ("Softmax", "multilabel", "distribution")]
)
def test_an_end_that_stands_for_the_other_objective_is_refused(tmp_path, end, objective, said):
    path = foreign_graph(tmp_path / "theirs.onnx", end=end)
    assert f"ends in a {end}, which stands for --objective {said}" in refusal(path, About(LABELS, objective=objective))


def test_probabilities_of_several_labels_without_a_sigmoid_are_refused(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", end="divided")
    assert "without a Sigmoid at its end" in refusal(path, About(labels=LABELS, objective="multilabel"))


def test_sigmoids_without_their_operator_are_no_logits(tmp_path):
    def hide(model: onnx.ModelProto) -> None:
        model.graph.node[-1].CopyFrom(helper.make_node("HardSigmoid", ["answer"], ["image"]))

    message = refusal(foreign_graph(tmp_path / "theirs.onnx", change=hide))
    assert "do not sum to one, as hidden sigmoids do, which stand for --objective multilabel" in message


def test_one_image_at_a_time_becomes_any_number(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", (1, SIZE, SIZE, 1))
    expected = foreign_answers(path, (crops() / 255).astype(np.float32))
    np.testing.assert_allclose(imported(path).logits(crops()), expected, atol=1e-5)


def keep_one_row(before: str, after: str) -> list[onnx.NodeProto]:
    shape = numpy_helper.from_array(np.array([1, SIZE * SIZE]), "shape")
    return [
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("Reshape", [before, "shape"], [after]),
    ]


def mix_images(before: str, after: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("ReduceMean", [before], ["average"], axes=[0]),
        helper.make_node("Add", [before, "average"], ["mixed"]),
        helper.make_node("Flatten", ["mixed"], [after]),
    ]


@pytest.mark.parametrize("batch", [1, "batch"])
@pytest.mark.parametrize("nodes", [keep_one_row, mix_images])
def test_a_graph_whose_insides_want_one_image_is_refused(tmp_path, nodes, batch):
    path = foreign_graph(tmp_path / "theirs.onnx", (batch, SIZE, SIZE, 1), nodes=nodes)
    assert "export it with a free batch" in refusal(path)


def make_sure(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        if tensor.name == "std":
            tensor.CopyFrom(numpy_helper.from_array(np.array([90, -90, -90], np.float32), "std"))


@pytest.mark.parametrize(("end", "objective"), [("Softmax", "distribution"), ("Sigmoid", "multilabel")])
def test_answers_that_are_always_sure_do_not_hide_what_differs(tmp_path, end, objective):
    about = About(labels=LABELS, objective=objective)
    path = foreign_graph(tmp_path / "theirs.onnx", NHWC, end, change=make_sure)
    expected = foreign_answers(path, (crops() / 255).astype(np.float32))
    np.testing.assert_array_equal(expected, [[1, 0, 0]] * 5)
    np.testing.assert_allclose(imported(path, about).probabilities(crops()), expected, atol=1e-6)
    path = foreign_graph(tmp_path / "mixing.onnx", NHWC, end, nodes=mix_images, change=make_sure)
    assert "logits that are spread over" in refusal(path, about)


def test_a_batch_of_another_size_is_refused(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", (4, SIZE, SIZE, 1))
    assert "takes 4 images at a time; export it with a free batch" in refusal(path)


def test_half_precision_is_cast_on_both_sides(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", NHWC, "Softmax", TensorProto.FLOAT16)
    expected = foreign_answers(path, (crops() / 255).astype(np.float16))
    np.testing.assert_allclose(imported(path).probabilities(crops()), expected, atol=2e-3)


def test_a_free_size_becomes_the_one_that_is_said(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", ("batch", 1, "height", "width"))
    size = imported(path, About(labels=LABELS, size=SIZE)).card.input
    assert (size.height, size.width, size.channels) == (SIZE, SIZE, 1)
    assert "leaves something open; say --size" in refusal(path, error=ConfigError)


def branches(before: str, after: str) -> list[onnx.NodeProto]:
    """Both branches use a weight of the graph around them."""
    bodies = {
        name: helper.make_graph(
            [helper.make_node(operator, [before, "two"], ["inner"]), helper.make_node("Flatten", ["inner"], ["flat"])],
            name,
            [],
            [helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["n", SIZE * SIZE])],
        )
        for name, operator in (("then_branch", "Mul"), ("else_branch", "Div"))
    }
    return [
        helper.make_node("ReduceMax", [before], ["brightest"], keepdims=0),
        helper.make_node("Constant", [], ["limit"], value=numpy_helper.from_array(np.array(-1, np.float32))),
        helper.make_node("Greater", ["brightest", "limit"], ["bright"]),
        helper.make_node("If", ["bright"], [after], **bodies),
    ]


def test_the_bodies_of_a_condition_find_the_weights_around_them(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx", NHWC, nodes=branches)
    expected = foreign_answers(path, (crops() / 255).astype(np.float32))
    np.testing.assert_allclose(imported(path).logits(crops()), expected, atol=1e-5)


def test_weights_that_old_files_list_as_inputs_are_no_inputs(tmp_path):
    def list_weights(model: onnx.ModelProto) -> None:
        model.ir_version = 3
        for tensor in model.graph.initializer:
            model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))

    model = imported(foreign_graph(tmp_path / "theirs.onnx", change=list_weights))
    assert [one.name for one in onnx.load(model.path).graph.input] == ["image"]


@pytest.mark.slow
def test_a_network_of_torch_answers_as_in_torch(tmp_path):
    from emolens.networks.face import FaceResNet

    torch.manual_seed(0)
    network = FaceResNet(3, widths=(8, 16), blocks=(1, 1)).eval()
    batch = {0: torch.export.Dim("N", min=1)}
    program = torch.onnx.export(network, (torch.zeros(2, 1, 48, 48),), dynamic_shapes=(batch,), verbose=False)
    program.save(tmp_path / "theirs.onnx", external_data=False)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    with torch.inference_mode():
        expected = network((torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.4) / 0.2).numpy()
    model = imported(tmp_path / "theirs.onnx", About(labels=LABELS, mean=(0.4,), std=(0.2,)))
    np.testing.assert_allclose(model.probabilities(pixels), softmax(expected), atol=1e-5)


def test_the_card_says_what_is_known_and_what_is_not(tmp_path):
    card = imported(foreign_graph(tmp_path / "theirs.onnx"), About(labels=LABELS, kind="generic")).card
    assert (card.name, card.kind, card.labels, card.objective) == ("theirs", "generic", LABELS, "distribution")
    assert card.licence == "unknown; see where the model came from"
    assert card.trained_on == ("unknown",)
    assert any("(pixels / 255 - 0) / 1" in limit for limit in card.limits)


@pytest.mark.parametrize("objective", ["distribution", "multilabel"])
def test_how_far_it_answers_as_the_original_is_its_parity_and_no_metric(tmp_path, objective):
    card = imported(foreign_graph(tmp_path / "theirs.onnx"), About(labels=LABELS, objective=objective)).card
    assert card.metrics == {}  # nothing has been measured on pictures of anything
    assert card.parity is not None
    assert (card.parity.form, card.parity.crops, card.parity.agreement) == ("import", 8, 1)
    assert card.parity.mean_difference <= card.parity.max_difference < 1e-5


def test_a_name_can_be_given(tmp_path):
    assert imported(foreign_graph(tmp_path / "theirs.onnx"), About(labels=LABELS, name="ours")).card.name == "ours"


def test_what_is_said_must_agree_with_the_file(tmp_path):
    path = foreign_graph(tmp_path / "theirs.onnx")
    for about, message in (
        (About(labels=LABELS, size=48), "--size 48 contradicts"),
        (About(labels=LABELS, channels=3), "--channels 3 contradicts"),
        (About(labels=LABELS, mean=(0.1, 0.2, 0.3)), "--mean has 3 numbers, but"),
    ):
        assert message in refusal(path, about, ConfigError)
    assert "as nhwc has 6 channels" in refusal(path, About(labels=LABELS, layout="nhwc"))
    assert "has 3 outputs, but --labels names 2: happy, sad" in refusal(path, About(labels=("happy", "sad")))


def test_weights_in_another_file_are_not_read(tmp_path):
    def point_elsewhere(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="elsewhere.bin")

    path = foreign_graph(tmp_path / "theirs.onnx")
    (tmp_path / "elsewhere.bin").write_bytes(b"\0" * 10000)
    model = onnx.load(path)
    point_elsewhere(model)
    path.write_bytes(model.SerializeToString())
    assert "keeps weights in other files" in refusal(path)


def test_operators_that_are_not_of_onnx_are_refused_with_their_domain(tmp_path):
    def put_in(model: onnx.ModelProto) -> None:
        model.graph.node[0].domain = "evil.example"
        model.opset_import.append(helper.make_opsetid("evil.example", 1))

    assert "uses operators of 'evil.example'" in refusal(foreign_graph(tmp_path / "theirs.onnx", change=put_in))


def test_operators_that_are_too_old_are_refused(tmp_path):
    def age(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = 6

    assert "written for operators of version 6" in refusal(foreign_graph(tmp_path / "theirs.onnx", change=age))


@pytest.mark.parametrize(("field", "what"), [("input", "input"), ("output", "output")])
def test_several_inputs_or_outputs_are_refused_with_their_names(tmp_path, field, what):
    def add(model: onnx.ModelProto) -> None:
        name = {"input": "age", "output": "flat"}[field]
        getattr(model.graph, field).append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))

    message = refusal(foreign_graph(tmp_path / "theirs.onnx", change=add))
    assert f"has 2 {what}s (" in message
    assert {"input": "'logits', 'age'", "output": "'image', 'flat'"}[field] in message


def test_integers_are_refused(tmp_path):
    def cast(before: str, after: str) -> list[onnx.NodeProto]:
        return [
            helper.make_node("Cast", [before], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["float"], [after]),
        ]

    def take_bytes(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8

    path = foreign_graph(tmp_path / "theirs.onnx", nodes=cast, change=take_bytes)
    assert "takes uint8 as 'logits'" in refusal(path)


def test_what_takes_no_images_is_refused(tmp_path):
    assert "takes any x 36; an image classifier" in refusal(foreign_graph(tmp_path / "theirs.onnx", ("batch", 36)))


def test_what_gives_a_map_is_refused(tmp_path):
    def reshape(model: onnx.ModelProto) -> None:
        model.graph.node[-1].CopyFrom(helper.make_node("Unsqueeze", ["answer"], ["image"], axes=[2]))
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 1]))

    assert "gives 1 x 3 x 1 for an image" in refusal(foreign_graph(tmp_path / "theirs.onnx", change=reshape))


def test_broken_weights_are_refused(tmp_path):
    def put_nan(model: onnx.ModelProto) -> None:
        model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.full(3, np.nan, np.float32), "std"))

    assert "answers with NaN or infinity" in refusal(foreign_graph(tmp_path / "theirs.onnx", change=put_nan))


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x89PNG\r\n\x1a\n" * 100, b"PK\x03\x04" * 100])
def test_what_is_not_onnx_is_refused(tmp_path, content):
    path = tmp_path / "photo.onnx"
    path.write_bytes(content)
    assert "is no ONNX file" in refusal(path)


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, part):
    path = foreign_graph(tmp_path / "theirs.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    refusal(path)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    assert "larger than 1 GiB" in refusal(path)


def test_a_missing_file_is_refused(tmp_path):
    assert "no model file at" in refusal(tmp_path / "nowhere.onnx")
