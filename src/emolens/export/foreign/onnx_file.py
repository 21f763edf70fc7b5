"""Foreign ONNX files: read within limits, and refused in words where they are more than a plain graph."""

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from emolens.errors import ModelError

LARGEST_FILE = 1 << 30

# ONNX's own: the main operators under both of their names, and those for trees and tables.
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
# Older operators broadcast in ways of their own, and ONNX Runtime promises nothing about them.
_OLDEST_OPSET = 7
_PIXELS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


def check_size(path: Path) -> None:
    """Refuses a missing or a huge file, before anything of it is read."""
    if not path.is_file():
        raise ModelError(f"no model file at {path}; give the `.onnx` or `.hdf5` file to import")
    if path.stat().st_size > LARGEST_FILE:
        raise ModelError(f"{path} is larger than {LARGEST_FILE >> 30} GiB, more than a model to import may be")


def read_onnx(path: Path) -> onnx.ModelProto:
    """Reads an ONNX file and nothing beside it.

    Raises:
        ModelError: it is huge, damaged, keeps weights in other files, or uses operators that are not ONNX's own.
    """
    check_size(path)
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        model = onnx.ModelProto()
    if not model.ir_version:
        raise ModelError(f"{path} is no ONNX file, or cut off; export or download it again")
    check_model(model, str(path))
    return model


def check_model(model: onnx.ModelProto, source: str) -> None:
    """Refuses a graph that is more than plain ONNX with one input and one output.

    Raises:
        ModelError: as of `read_onnx`, or it has not exactly one input and one output, or they have other types.
    """
    if any(tensor.data_location == tensor.EXTERNAL or tensor.external_data for tensor in _tensors(model.graph)):
        raise ModelError(
            f"{source} keeps weights in other files, which are not read; "
            "put them inside first: onnx.save(onnx.load(FILE), NEW_FILE)"
        )
    domains = {function.domain for function in model.functions} | {node.domain for node in _nodes(model.graph)}
    foreign = sorted(domains - _DOMAINS)
    if foreign or model.functions:
        raise ModelError(
            f"{source} uses operators of {', '.join(map(repr, foreign)) or 'its own'}, which are not part of ONNX; "
            "export it with plain ONNX operators"
        )
    inputs, outputs = inputs_of(model.graph), model.graph.output
    for what, found in (("input", inputs), ("output", outputs)):
        if len(found) != 1:
            names = ", ".join(repr(value.name) for value in found) or "none"
            raise ModelError(f"{source} has {len(found)} {what}s ({names}); a classifier has one {what}")
    opset = opset_of(model)
    if 0 < opset < _OLDEST_OPSET:
        raise ModelError(
            f"{source} is written for operators of version {opset}, too old to be run; convert it first with "
            "onnx.version_converter.convert_version(onnx.load(FILE), 13)"
        )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        raise ModelError(f"{source} is no sound ONNX graph: {_first_line(error)}; export it again") from None
    for what, value in (("takes", inputs[0]), ("gives", outputs[0])):
        kind = value.type.tensor_type.elem_type
        if kind not in _PIXELS:
            name = onnx.TensorProto.DataType.Name(kind).lower()
            raise ModelError(f"{source} {what} {name} as {value.name!r}; only floating point can be imported")


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """What is fed to a graph; old files list their weights as inputs, too."""
    weights = {tensor.name for tensor in graph.initializer} | {one.values.name for one in graph.sparse_initializer}
    return [value for value in graph.input if value.name not in weights]


def dims_of(value: onnx.ValueInfoProto) -> list[int | None]:
    """The dimensions of an input or output, None where any number goes."""
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's main operators."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The bodies of an `If`, `Loop` or `Scan`."""
    for attribute in node.attribute:
        yield from (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for body in subgraphs(node):
            yield from _nodes(body)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            sparse += (attribute.sparse_tensor, *attribute.sparse_tensors)
        for body in subgraphs(node):
            yield from _tensors(body)
    for one in sparse:
        yield from (one.values, one.indices)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
