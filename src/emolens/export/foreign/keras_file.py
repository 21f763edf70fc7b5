"""Whole Keras models in HDF5: checked, loaded by Keras on its torch backend, converted to ONNX."""

import json
import logging
import math
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import torch

from emolens.errors import ConfigError, EmolensError, ModelError
from emolens.export.foreign.about import About, frame
from emolens.export.foreign.graph import prepare
from emolens.export.foreign.onnx_file import LARGEST_FILE, check_model, check_size

_OPSET = 20

# What convolutional classifiers are made of. Whatever is not here may be code, as a Lambda is.
_LAYERS = """
    Activation ActivityRegularization Add AlphaDropout Average AveragePooling2D BatchNormalization Concatenate Conv2D
    Cropping2D Dense DepthwiseConv2D Dropout ELU Flatten Functional GaussianDropout GaussianNoise
    GlobalAveragePooling2D GlobalMaxPooling2D InputLayer LayerNormalization LeakyReLU Maximum MaxPooling2D Model
    Multiply PReLU Permute ReLU Rescaling Reshape SeparableConv2D Sequential Softmax SpatialDropout2D ZeroPadding2D
"""
_PARTS_OF_LAYERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Ones Orthogonal RandomNormal
    RandomUniform TruncatedNormal VarianceScaling Zeros L1 L1L2 L2 MaxNorm MinMaxNorm NonNeg UnitNorm DTypePolicy Policy
    TensorShape __keras_tensor__ __tuple__
"""
_KNOWN = frozenset((_LAYERS + _PARTS_OF_LAYERS).split())


def read_keras(path: Path, about: About) -> onnx.ModelProto:
    """Converts a model that Keras saved whole: `model.save("model.hdf5")`, of Keras 2 or 3.

    Nothing in the file is executed: a model with a layer that is not among those above is refused before Keras sees it.

    Args:
        path: the file.
        about: what the file does not say.

    Raises:
        ModelError: it is huge, damaged, holds weights alone or code, or cannot be converted.
        ConfigError: as of `emolens.export.foreign.about.frame`; or this process uses Keras with another backend.
    """
    check_size(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model.hdf5")
        shutil.copyfile(path, copy)
        with _open(copy, path) as file:
            _check_weights(file, path)
            stored = file.attrs.get("model_config")
        description = _description(stored, path)
        with _open(copy, path) as file:
            file.attrs["model_config"] = description
        model = _convert(copy, path, about)
    check_model(model, str(path))
    return model


@contextmanager
def _open(file: Path, source: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(file, "r+") as opened:
            yield opened
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:  # h5py has no errors of its own
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{source} is no HDF5 file, or cut off: {reason}; save or download it again") from None


def _check_weights(file: h5py.File, source: Path) -> None:
    """Refuses weights that stand in other files, and those that unfold to more than a file may hold.

    Nothing may be reached or listed twice, which would multiply it: Keras never saves so.
    """
    groups, seen, listed, size = [file["/"]], {file["/"]}, set(), 0
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ModelError(f"{source} links to weights elsewhere, which are not read; save the model again")
            item = group[name]
            if item in seen:
                raise ModelError(f"{source} holds the same weights in several places; save the model again")
            seen.add(item)
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset):
                size += _size(item, source)
        for item in _listed(group):
            if item in listed:
                raise ModelError(f"{source} lists the same weights several times; save the model again")
            listed.add(item)
    if size > LARGEST_FILE:
        raise ModelError(f"{source} unfolds to more than {LARGEST_FILE >> 30} GiB of weights; it is not read")


def _size(weights: h5py.Dataset, source: Path) -> int:
    if weights.external or weights.is_virtual:
        raise ModelError(f"{source} keeps weights in other files, which are not read; save the model again")
    if weights.dtype.kind not in "biuf":  # others can refer to what is larger than themselves
        raise ModelError(f"{source} holds weights that are no numbers; save the model again")
    size: int = math.prod(weights.shape) * weights.dtype.itemsize
    return size


def _listed(group: h5py.Group) -> Iterator[h5py.HLObject]:
    """What Keras reads: it goes by names in attributes, in several of them where one would be too long."""
    for attribute in group.attrs:
        if attribute.startswith(("layer_names", "weight_names")):
            yield from (item for item in map(group.get, group.attrs[attribute]) if item is not None)


def _description(stored: Any, source: Path) -> str:
    """How the model is built, checked, as Keras 3 reads it."""
    if stored is None:
        raise ModelError(f"{source} does not say how its model is built; save all of it: model.save('model.hdf5')")
    try:
        config = json.loads(stored)
        _check_config(config, source)
        return json.dumps(_with_input_layer(config))
    except (ValueError, TypeError, RecursionError):
        raise ModelError(f"{source}: its `model_config` is damaged; save or download the model again") from None


def _check_config(config: dict[str, Any], source: Path) -> None:
    """Refuses all that could be code, or lead to some."""
    for part in _dicts(config):
        name = str(part.get("class_name", "Model"))
        if "ambda" in name:
            raise ModelError(
                f"{source} holds a Lambda, which is Python code, and emolens runs no code of a model file; "
                "rebuild the model without it, or export it to ONNX where you trust it"
            )
        module = str(part.get("module") or "keras").partition(".")[0]
        if name not in _KNOWN or module != "keras" or part.get("registered_name") not in (None, name):
            raise ModelError(
                f"{source} holds a {name!r} of {module!r}, which is not among the layers of Keras that are imported; "
                "export it to ONNX where it was made, and import that"
            )


def _dicts(config: Any) -> Iterator[dict[str, Any]]:
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _with_input_layer(config: Any) -> dict[str, Any]:
    """Gives the size of the images a layer of its own: Keras 2 noted it in the first layer, which Keras 3 misreads.

    Raises:
        ValueError: it describes no layers.
    """
    match config:
        case {"class_name": str(name), "config": {"layers": [{"config": dict()} as first, *_] as layers}}:
            pass
        case _:
            raise ValueError("no layers")
    if name == "Sequential" and first.get("class_name") != "InputLayer":
        shape = first["config"].pop("batch_input_shape", None)
        if shape is not None:
            layers.insert(0, {"class_name": "InputLayer", "config": {"batch_shape": shape, "name": "pixels"}})
    described: dict[str, Any] = config
    return described


def _convert(file: Path, source: Path, about: About) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras and the exporter warn of their own internals
        keras = _import_keras()
        try:
            # Without memory first: so it is known that the model is not larger than the weights that were counted.
            for device in ("meta", "cpu"):
                with keras.device(device):
                    model = keras.models.load_model(file, compile=False, safe_mode=True)
            return _export(model, source, about)
        except EmolensError:
            raise
        except Exception as error:  # they raise whatever their layers do
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{source} cannot be converted: {reason}; export it to ONNX where it was made, and import that"
            ) from error


def _export(model: Any, source: Path, about: About) -> onnx.ModelProto:
    for what, values in (("input", model.inputs), ("output", model.outputs)):
        if len(values) != 1:
            raise ModelError(f"{source} has {len(values)} {what}s; a classifier has one {what}")
    layout, size = frame(model.inputs[0].shape, about, str(source))
    crops = np.zeros((2, size.height or 0, size.width or 0, size.channels), np.uint8)
    with _only_errors("torch.onnx"):
        program = torch.onnx.export(
            model.eval(),
            (torch.from_numpy(prepare(crops, layout, about)),),
            dynamo=True,
            opset_version=_OPSET,
            dynamic_shapes=(({0: torch.export.Dim("N", min=1)},),),
            verbose=False,
        )
    assert program is not None
    converted: onnx.ModelProto = program.model_proto
    return converted


@contextmanager
def _only_errors(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _import_keras() -> Any:
    """Keras as it comes, on torch: without what the user's `keras.json` says, and without writing one."""
    if "keras" not in sys.modules:
        with tempfile.TemporaryDirectory() as home, _environment(KERAS_BACKEND="torch", KERAS_HOME=home):
            import keras
    import keras

    if keras.config.backend() != "torch":
        raise ConfigError(f"Keras runs on {keras.config.backend()} in this process; set KERAS_BACKEND=torch before")
    return keras


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
