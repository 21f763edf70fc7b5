"""The weights of the embedded face model, to begin a training with."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from emolens.networks.base import Network
from emolens.networks.block_kernels import from_blocks
from emolens.networks.weights import load_state, with_head_of
from emolens.zoo import card_of, embedded

_NAME = "face"


def load_embedded_face(network: Network, labels: Sequence[str]) -> None:
    """Puts the weights of the embedded face model into a network of as many blocks.

    The exporter has folded each batch norm into its convolution. It comes back as a norm that changes nothing, so that
    the outputs are the same. The statistics of the training are gone; the network has to work with these
    (`keeps_statistics`), since those of a batch would change what it computes.

    Args:
        network: takes one channel.
        labels: of its logits; where they are not those of the embedded model, the head stays as it is.

    Raises:
        ConfigError: the network is not of that shape; the message says what does not fit.
    """
    path = embedded()[_NAME]
    wanted = network.state_dict()
    state = _unfold({name: _as_in(wanted.get(name), value) for name, value in _read_initialisers(path).items()})
    if tuple(labels) != card_of(path).labels:
        state = with_head_of(network, state)
    load_state(network, state, f"the embedded model '{_NAME}'")


def _read_initialisers(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of a model file in 8 bits, in floating point, under the names that they have in the network."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    values = {}
    for name, value in tensors.items():
        if not name.startswith("network.") or name.endswith(("_scale", "_zero_point")):
            continue
        weight = name.removesuffix("_quantized")
        if weight != name:
            scale = tensors[f"{weight}_scale" if f"{weight}_scale" in tensors else f"{name}_scale"]
            value = value * scale.reshape(-1, *[1] * (value.ndim - 1))
        values[weight.removeprefix("network.")] = value.astype(np.float32)
    return values


def _as_in(wanted: Tensor | None, value: NDArray[np.float32]) -> Tensor:
    """Weights in the form of those that a network has there, if any; the exporter may have made blocks of a kernel."""
    sides = () if wanted is None else wanted.shape[2:]
    if value.shape[2:] != sides and value.shape[1:] == (4, *(math.ceil(side / 2) for side in sides)):
        value = from_blocks(value, *sides)
    return torch.from_numpy(value)


def _unfold(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    state = dict(weights)
    for name, value in weights.items():
        if name.endswith("conv.bias"):
            norm = name.removesuffix("conv.bias") + "norm."
            state |= {
                f"{norm}weight": torch.ones_like(value),
                f"{norm}bias": torch.zeros_like(value),
                f"{norm}running_mean": torch.zeros_like(value),
                f"{norm}running_var": torch.ones_like(value) - nn.BatchNorm2d(1).eps,
                f"{norm}num_batches_tracked": torch.tensor(0),
            }
    return state
