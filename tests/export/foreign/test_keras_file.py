"""A Keras model in HDF5 answers as in Keras once it is imported; nothing that its file brings is executed."""

import json
import logging
import marshal
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.errors import ConfigError, EmolensError, ModelError
from emolens.export.foreign.about import About
from emolens.export.foreign.importing import import_model
from emolens.export.foreign.keras_file import _import_keras, _with_input_layer
from emolens.runtime import OnnxModel

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
INPUT = {"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 1], "name": "pixels"}}
FLATTEN = {"class_name": "Flatten", "config": {"name": "flatten"}}


def keras_file(path: Path, *layers: Any, **attributes: Any) -> Path:
    """A file with the description of a model, and no weights."""
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": [INPUT, *layers]}}
    with h5py.File(path, "w") as file:
        file.attrs.update({"model_config": json.dumps(config), **attributes})
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return path


def refusal(path: Path, labels: tuple[str, ...] = LABELS, error: type[EmolensError] = ModelError) -> str:
    out = path.with_name("refused.onnx")
    with pytest.raises(error) as raised:
        import_model(path, About(labels=labels), out)
    assert not out.exists()
    message = str(raised.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def writer_of(marker: Path) -> dict[str, Any]:
    """A Lambda as Keras stores it: compiled code, which writes a file when it is called."""
    source = f"lambda x: (__import__('pathlib').Path({str(marker)!r}).write_text('executed'), x)[1]"
    code = compile(source, "<lambda>", "eval").co_consts[0]
    return {
        "class_name": "Lambda",
        "config": {"name": "writer", "function": [b64encode(marshal.dumps(code)).decode(), None, None]},
    }


def nested(layer: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "inner", "layers": [INPUT, layer]}}


def as_initializer(layer: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": "dense", "units": 7, "kernel_initializer": layer}}


@pytest.mark.parametrize("hide", [lambda layer: layer, nested, as_initializer])
def test_a_lambda_is_refused_and_not_executed(tmp_path, hide):
    marker = tmp_path / "marker"
    assert "holds a Lambda, which is Python code" in refusal(
        keras_file(tmp_path / "evil.hdf5", hide(writer_of(marker)))
    )
    assert not marker.exists()


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "TorchModuleWrapper", "config": {"module": "AAAA"}},
        {"class_name": "TFSMLayer", "config": {"filepath": "elsewhere"}},
        {"class_name": "MyAttention", "config": {}},
        {"class_name": ["Dense"], "config": {}},
        {"class_name": "Dense", "module": "os", "config": {"units": 7}},
        {"class_name": "Dense", "registered_name": "mine>Dense", "config": {"units": 7}},
    ],
)
def test_what_is_no_plain_layer_of_keras_is_refused(tmp_path, layer):
    assert "is not among the layers of Keras that are imported" in refusal(keras_file(tmp_path / "evil.hdf5", layer))


@pytest.mark.parametrize("config", ["", "{", "[]", "{}", '{"config": []}', "[" * 100_000, b"\xff", 7])
def test_a_damaged_description_is_refused(tmp_path, config):
    path = keras_file(tmp_path / "damaged.hdf5", FLATTEN, model_config=config)
    message = refusal(path)
    assert "its `model_config` is damaged" in message or "is no HDF5 file, or cut off" in message


@pytest.mark.parametrize(
    "layers",
    [7, "layers", {"0": FLATTEN}, [], [7], ["Flatten"], [{"class_name": "Flatten"}]],
)
def test_a_description_without_layers_is_damaged(tmp_path, layers):
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    path = keras_file(tmp_path / "damaged.hdf5", model_config=json.dumps(config))
    assert "its `model_config` is damaged" in refusal(path)


def test_weights_alone_are_refused(tmp_path):
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        file["dense/kernel"] = np.zeros((4, 7), np.float32)
    assert "save all of it: model.save" in refusal(tmp_path / "weights.hdf5")


def test_weights_in_another_file_are_not_read(tmp_path):
    (tmp_path / "elsewhere.bin").write_bytes(b"\0" * 100)
    path = keras_file(tmp_path / "evil.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/kernel", (25,), np.float32, external=str(tmp_path / "elsewhere.bin"))
    assert "keeps weights in other files" in refusal(path)


def test_a_small_file_of_huge_weights_is_refused(tmp_path):
    path = keras_file(tmp_path / "bomb.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/kernel", (1 << 40,), np.float32, chunks=(1024,), compression="gzip")
    assert "unfolds to more than 1 GiB" in refusal(path)


def in_another_group(weights: h5py.Group) -> None:
    weights.create_group("other")["kernel"] = weights["dense/kernel"]


def in_a_group_with_two_names(weights: h5py.Group) -> None:
    weights["other"] = weights["dense"]


def in_a_group_within_itself(weights: h5py.Group) -> None:
    weights["dense/dense"] = weights["dense"]


@pytest.mark.parametrize("share", [in_another_group, in_a_group_with_two_names, in_a_group_within_itself])
def test_weights_that_links_would_multiply_are_refused(tmp_path, share):
    path = keras_file(tmp_path / "bomb.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/dense/kernel", (1 << 27,), np.float32, chunks=(1024,), compression="gzip")
        share(file["model_weights"])
    assert "holds the same weights in several places" in refusal(path)


@pytest.mark.parametrize(
    ("layers", "weights"),
    [
        ({"": ["a"]}, {"a": ["kernel", "kernel"]}),
        ({"": ["a"]}, {"a": ["kernel", "/model_weights/a/./kernel"]}),
        ({"": ["a", "b"]}, {"a": ["kernel"], "b": ["/model_weights/a/kernel"]}),
        ({"": ["a", "b", "a"]}, {"a": ["kernel"]}),
    ],
)
def test_weights_that_names_would_multiply_are_refused(tmp_path, layers, weights):
    path = keras_file(tmp_path / "bomb.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        group.create_dataset("a/kernel", (1 << 27,), np.float32, chunks=(1024,), compression="gzip")
        group.create_group("b")
        group.attrs["layer_names"] = np.array(layers[""], "S")
        for layer, names in weights.items():
            group[layer].attrs["weight_names0"] = np.array(names, "S")
    assert "lists the same weights several times" in refusal(path)


@pytest.mark.parametrize("link", [h5py.SoftLink("/elsewhere"), h5py.ExternalLink("elsewhere.hdf5", "/weights")])
@pytest.mark.parametrize("name", ["kernel", "model_weights/dense/kernel"])
def test_a_link_to_weights_elsewhere_is_not_followed(tmp_path, link, name):
    with h5py.File(tmp_path / "elsewhere.hdf5", "w") as file:
        file["weights"] = np.zeros(4)
    path = keras_file(tmp_path / "evil.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        file["elsewhere"] = np.zeros(4)
        file[name] = link
    assert "links to weights elsewhere, which are not read" in refusal(path)


def test_weights_that_refer_to_others_are_refused(tmp_path):
    path = keras_file(tmp_path / "bomb.hdf5", FLATTEN)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/kernel", (4,), h5py.vlen_dtype(np.float32))
    assert "holds weights that are no numbers" in refusal(path)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path, part):
    path = keras_file(tmp_path / "cut.hdf5", FLATTEN)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert "is no HDF5 file, or cut off" in refusal(path)


def test_the_size_in_the_first_layer_of_an_old_model_becomes_a_layer():
    first = {"class_name": "Conv2D", "config": {"batch_input_shape": [None, 48, 48, 1], "filters": 4}}
    config = _with_input_layer({"class_name": "Sequential", "config": {"layers": [first]}})
    added, first = config["config"]["layers"]
    assert added["config"]["batch_shape"] == [None, 48, 48, 1]
    assert first["config"] == {"filters": 4}


def test_keras_on_another_backend_is_refused(monkeypatch):
    class Elsewhere:
        class config:  # noqa: N801
            backend = staticmethod(lambda: "jax")

    monkeypatch.setitem(sys.modules, "keras", Elsewhere)
    with pytest.raises(ConfigError, match="Keras runs on jax in this process; set KERAS_BACKEND=torch"):
        _import_keras()


@pytest.fixture(scope="module")
def keras() -> Any:
    return _import_keras()


def keras_answers(keras: Any, model: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    with keras.device("cpu"):
        answers: NDArray[np.float32] = model((crops / 255).astype(np.float32)).detach().numpy()
    return answers


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # from Keras, when it saves
def test_a_model_of_branches_answers_as_in_keras(keras, tmp_path):
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    keras.utils.set_random_seed(0)
    with keras.device("cpu"):
        pixels = keras.Input((16, 16, 3))
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(pixels)
        x = keras.layers.BatchNormalization()(x)
        y = keras.layers.DepthwiseConv2D(3, padding="same")(x)
        y = keras.layers.SeparableConv2D(8, 3, padding="same")(keras.layers.LeakyReLU()(y))
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(keras.layers.Add()([x, y]))
        x = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(x))
        model = keras.Model(pixels, keras.layers.Dense(7, activation="softmax")(x))
        for weight in model.weights:
            weight.assign(np.random.default_rng(0).uniform(-0.5, 1, weight.shape) ** 2)
        model.save(tmp_path / "branches.hdf5")
    import_model(tmp_path / "branches.hdf5", About(labels=LABELS), tmp_path / "ours.onnx")
    assert logger.level == level
    crops = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    found = OnnxModel(tmp_path / "ours.onnx", "cpu").probabilities(crops)
    np.testing.assert_allclose(found, keras_answers(keras, model, crops), atol=1e-5)


@pytest.mark.slow
def test_the_old_model_answers_500_faces_as_in_keras(keras, shared_data, tmp_path):
    path = shared_data / "weights" / "model_v6_23.hdf5"
    import_model(path, About(labels=LABELS), tmp_path / "ours.onnx")
    dataset = read_dataset("fer2013", shared_data / "fer2013plus.parquet")
    faces = [sample for sample in dataset.samples if sample.split == "PublicTest"][:500]
    crops, unread = cut_crops(faces, Input(height=48, width=48, channels=1), Crop())
    assert len(crops) == 500
    assert not unread
    with h5py.File(path) as file:
        config = _with_input_layer(json.loads(file.attrs["model_config"]))
        with keras.device("cpu"):
            model = keras.Sequential.from_config(config["config"])
    model.load_weights(path)
    found = OnnxModel(tmp_path / "ours.onnx", "cpu").probabilities(crops)
    np.testing.assert_allclose(found, keras_answers(keras, model, crops), atol=1e-4)


@pytest.mark.slow
def test_a_model_larger_than_its_weights_is_refused_before_it_takes_memory(keras, tmp_path):  # noqa: ARG001
    dense = {"class_name": "Dense", "config": {"name": "dense", "units": 1 << 40}}
    assert "cannot be converted" in refusal(keras_file(tmp_path / "bomb.hdf5", FLATTEN, dense))
