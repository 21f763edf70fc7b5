"""A model file answers alike however it is batched, and one that cannot be used is refused in a line that says why."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens import session
from emolens.card import METADATA_KEY, ModelCard
from emolens.errors import ConfigError, ModelError
from emolens.labels import LABEL_SETS
from emolens.probability import sigmoid, softmax
from emolens.runtime import OnnxModel
from emolens.session import file_hash, metadata_of
from models import make_model_file, write_graph

LABELS = LABEL_SETS["social8"]


def crops(count: int, size: int = 48, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_model_file(tmp_path / "tiny.onnx")


def edited(path: Path, change) -> Path:
    graph = onnx.load(path)
    change(graph)
    onnx.save(graph, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        OnnxModel(path, "cpu")
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("size", "channels"), [(48, 1), (32, 3)])
def test_crops_become_probabilities_that_sum_to_one(tmp_path, size, channels):
    model = OnnxModel(make_model_file(tmp_path / "tiny.onnx", LABELS, size, channels), "cpu")
    probabilities = model.probabilities(crops(5, size, channels))
    assert probabilities.shape == (5, 8)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_more_than_a_batch_answers_as_one_by_one(path):
    model, many = OnnxModel(path, "cpu"), crops(130)
    one_by_one = np.concatenate([model.logits(many[i : i + 1]) for i in range(len(many))])
    np.testing.assert_allclose(model.logits(many), one_by_one, atol=1e-5)


def test_no_crops_are_no_rows(path):
    assert OnnxModel(path, "cpu").probabilities(crops(0)).shape == (0, 8)


def test_the_temperature_of_the_card_divides_the_logits(path, tmp_path):
    plain = OnnxModel(path, "cpu")
    cooled = OnnxModel(make_model_file(tmp_path / "cooled.onnx", temperature=2.5), "cpu")
    np.testing.assert_allclose(cooled.probabilities(crops(4)), softmax(plain.logits(crops(4)) / 2.5), rtol=1e-5)
    np.testing.assert_array_equal(cooled.logits(crops(4)), plain.logits(crops(4)))


def test_a_multilabel_model_gives_each_label_its_own_probability(path, tmp_path):
    model = OnnxModel(make_model_file(tmp_path / "multi.onnx", objective="multilabel"), "cpu")
    logits = OnnxModel(path, "cpu").logits(crops(4))
    np.testing.assert_allclose(model.probabilities(crops(4)), 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_the_card_is_read_from_the_file(path):
    assert OnnxModel(path, "cpu").card == ModelCard.from_metadata(metadata_of(path), "")
    assert OnnxModel(path, "cpu").card.labels == LABELS


def test_the_hash_is_that_of_the_file(path):
    assert file_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_missing_file_names_the_list_of_models(tmp_path):
    assert "no model file at" in refusal(tmp_path / "nowhere.onnx")
    assert "no model file at" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x89PNG\r\n\x1a\n" * 100, b"PK\x03\x04" * 100])
def test_what_is_not_onnx_is_refused(content, tmp_path):
    path = tmp_path / "photo.onnx"
    path.write_bytes(content)
    assert "cannot be opened as ONNX" in refusal(path)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(part, path):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert "cannot be opened as ONNX" in refusal(path)


def test_a_model_without_a_card_is_sent_to_import(tmp_path):
    assert "`emolens models import" in refusal(write_graph(tmp_path / "bare.onnx", 48, 1, [0.0] * 8, {}))


@pytest.mark.parametrize("card", ["", "null", "{", '{"name": "half"}'])
def test_a_damaged_card_is_refused(card, tmp_path):
    path = write_graph(tmp_path / "damaged.onnx", 48, 1, [0.0] * 8, {METADATA_KEY: card})
    assert "its model card is damaged" in refusal(path)


def test_a_card_that_is_no_text_is_refused(path):
    path.write_bytes(path.read_bytes().replace(b'"version":"1"', b'"version":"\xff"'))
    assert "its metadata is damaged" in refusal(path)


def test_a_card_with_another_number_of_labels_than_the_graph_is_refused(path):
    bare = write_graph(path.with_name("seven.onnx"), 48, 1, [0.0] * 7, metadata_of(path))
    assert "is 'logits' tensor(float) N x 8, but the graph has 'logits' tensor(float) N x 7" in refusal(bare)


def test_a_card_with_another_input_than_the_graph_is_refused(path):
    bare = write_graph(path.with_name("rgb.onnx"), 64, 3, [0.0] * 8, metadata_of(path))
    assert "N x 48 x 48 x 1, but the graph has 'image' tensor(uint8) N x 64 x 64 x 3" in refusal(bare)


def test_a_graph_that_takes_one_image_at_a_time_is_refused(path):
    def fix_batch(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1

    assert "but the graph has 'image' tensor(uint8) 1 x 48 x 48 x 1" in refusal(edited(path, fix_batch))


def test_a_graph_with_two_inputs_is_refused(path):
    def add_input(model: onnx.ModelProto) -> None:
        model.graph.input.append(onnx.helper.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, ["N", 2]))

    assert "and 'mask' tensor(float) N x 2" in refusal(edited(path, add_input))


def test_a_graph_with_a_single_number_as_output_is_refused(path):
    def flatten(model: onnx.ModelProto) -> None:
        model.graph.output[0].type.tensor_type.shape.ClearField("dim")

    assert "'logits' tensor(float) of no shape" in refusal(edited(path, flatten))


def test_a_detector_is_no_emotion_model(tmp_path):
    detector = make_model_file(tmp_path / "boxes.onnx", ("face",), kind="detector", objective="detection")
    assert "face detector" in refusal(detector)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf"), 3e38])
def test_a_model_with_broken_weights_is_named_instead_of_answering_nan(broken, tmp_path):
    path = make_model_file(tmp_path / "broken.onnx", bias={"sad": broken}, temperature=0.01)
    with pytest.raises(ModelError, match=r"broken\.onnx answers with NaN or absurd values"):
        OnnxModel(path, "cpu").probabilities(crops(2))


@pytest.mark.parametrize("wrong", [crops(2, 40), crops(2).astype(np.float32)])
def test_crops_of_the_wrong_kind_are_an_error_of_ours(wrong, path):
    with pytest.raises(ModelError, match=r"fails on \w+ of shape \(2, "):
        OnnxModel(path, "cpu").logits(wrong)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is there")
def test_cuda_where_there_is_none_says_what_to_install_or_choose(path):
    with pytest.raises(ConfigError, match=r"onnxruntime-gpu.*, or use --device cpu"):
        OnnxModel(path, "cuda")


def test_a_device_that_does_not_exist_is_refused(path):
    with pytest.raises(ConfigError, match="'gpu' is no device; there are auto, cpu, cuda"):
        OnnxModel(path, "gpu")


def test_auto_takes_what_is_there(path):
    assert OnnxModel(path, "auto").logits(crops(1)).shape == (1, 8)


finite = st.floats(-(2.0**99), 2.0**99, width=32)


@given(arrays(np.float32, (3, 4), elements=finite))
def test_softmax_and_sigmoid_stay_probabilities_for_any_logits(logits):
    np.testing.assert_allclose(softmax(logits).sum(axis=1), 1, rtol=1e-5)
    for values in (softmax(logits), sigmoid(logits)):
        assert np.all((values >= 0) & (values <= 1))


def test_for_many_images_a_small_model_answers_the_same_in_one_thread(path: Path) -> None:
    model = OnnxModel(path, "cpu")
    path.write_bytes(b"another")  # what becomes of the file meanwhile does not matter
    many = model.for_many()
    assert many.session.get_session_options().intra_op_num_threads == 1
    np.testing.assert_allclose(many.classify([crops(5)]), model.classify([crops(5)]), atol=1e-6)


def test_for_many_images_large_models_and_given_threads_stay_as_they_are(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = OnnxModel(path, "cpu", threads=2)
    monkeypatch.setattr(session, "_SMALL", path.stat().st_size - 1)
    for model in (given, OnnxModel(path, "cpu")):
        assert model.for_many().session is model.session
