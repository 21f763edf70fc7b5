"""Puts a torch network into a model file: normalisation into the graph, the card inside."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from emolens.card import ModelCard
from emolens.export.container import save_model

_OPSET = 20
# Smaller tensors (biases, shapes) weigh nothing and keep full precision.
_HALVED_FROM = 256


def write_model_file(
    network: nn.Module,
    card: ModelCard,
    path: Path,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    outputs: Sequence[str] = ("logits",),
) -> None:
    """Writes a model file, whole or not at all.

    Weights are stored as float16 and cast back when the file is opened: half the size, the same speed.

    Args:
        network: takes `(N, C, H, W)` float32, `(pixels / 255 - mean) / std`; gives one tensor per name in `outputs`.
        card: goes inside; its input size becomes that of the graph, or any where it is None.
        path: of the `.onnx` file.
        mean: per channel, of pixels in 0 to 1.
        std: likewise.
        outputs: names of the graph's outputs.
    """
    size = card.input
    example = torch.zeros(2, size.height or 64, size.width or 96, size.channels, dtype=torch.uint8)
    dynamic: dict[int, torch.export.Dim] = {0: torch.export.Dim("N", min=1)}
    if size.height is None:
        # Detectors halve the picture five times, so that only multiples of 32 can be traced.
        dynamic |= {1: 32 * torch.export.Dim("h", min=1, max=512), 2: 32 * torch.export.Dim("w", min=1, max=512)}
    with_normalisation = _Normalised(network, mean, std).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            with_normalisation,
            (example,),
            dynamo=True,
            opset_version=_OPSET,
            input_names=["image"],
            output_names=list(outputs),
            dynamic_shapes=(dynamic,),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    _fold_division(graph)
    _halve_weights(graph)
    save_model(graph, card, path)


class _Normalised(nn.Module):
    """Takes pixels as any client has them, `(N, H, W, C)` uint8."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        # One number for all channels is subtracted faster than one for each.
        means = mean[:1] if len(set(mean)) == 1 else mean
        self.register_buffer("mean", 255 * torch.tensor(means).view(-1, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std).view(-1, 1, 1))

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        normalised = (image.permute(0, 3, 1, 2).float() - self.mean) / self.std
        output: Tensor | tuple[Tensor, ...] = self.network(normalised)
        return output


def _fold_division(graph: onnx.ModelProto) -> None:
    """Divides the first convolution's weights by `std` instead of all pixels; zeros around the picture stay zeros."""
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    divisions = [node for node in graph.graph.node if node.op_type == "Div" and node.input[1] == "std"]
    users = [node for node in graph.graph.node for division in divisions if division.output[0] in node.input]
    if not (len(divisions) == len(users) == 1 and users[0].op_type == "Conv" and users[0].input[1] in weights):
        return
    (division,), (convolution,) = divisions, users
    weight, std = weights[convolution.input[1]], weights["std"]
    if weight.dims[1] != std.dims[0]:
        return
    folded = onnx.numpy_helper.to_array(weight) / onnx.numpy_helper.to_array(std)
    weight.CopyFrom(onnx.numpy_helper.from_array(folded, weight.name))
    convolution.input[0] = division.input[0]
    graph.graph.node.remove(division)
    graph.graph.initializer.remove(std)


def _halve_weights(graph: onnx.ModelProto) -> None:
    casts = []
    for tensor in graph.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < _HALVED_FROM:
            continue
        name = tensor.name
        half = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
        tensor.CopyFrom(half)
        casts.append(onnx.helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    graph.graph.ClearField("node")
    graph.graph.node.extend(nodes)
