"""What is exported: a trained network with its card, as one graph from pixels to answers."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emolens.card import ModelCard
from emolens.detect.own import OUTPUTS
from emolens.probability import calibrated, sigmoid

Outputs = list[NDArray[np.float32]]

_BATCH = 32


@dataclass(frozen=True)
class Source:
    """A trained network.

    Attributes:
        network: takes `(N, C, H, W)` float32, `(pixels / 255 - mean) / std`; gives logits or, of a detector, its maps.
        card: its input size becomes that of the graph, or any where it is None.
        mean: per channel, of pixels in 0 to 1.
        std: likewise.
    """

    network: nn.Module
    card: ModelCard
    mean: Sequence[float]
    std: Sequence[float]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the graph's outputs."""
        return OUTPUTS if self.card.kind == "detector" else ("logits",)

    @cached_property
    def graph(self) -> nn.Module:
        """Takes pixels as any client has them, `(N, H, W, C)` uint8; normalisation is inside."""
        return _Normalised(self.network, self.mean, self.std).eval().requires_grad_(False)

    def halved(self) -> nn.Module:
        """The graph in float16, from pixels to answers in float32."""
        halved = _Normalised(copy.deepcopy(self.network).half(), self.mean, self.std).eval()
        halved.dtype = torch.float16
        return halved

    def example(self) -> Tensor:
        """Black pictures of a size that the graph takes."""
        size = self.card.input
        return torch.zeros(2, size.height or 64, size.width or 96, size.channels, dtype=torch.uint8)

    def answers(self, crops: NDArray[np.uint8], graph: nn.Module | None = None) -> Outputs:
        """The outputs of the network, or of another form of it, for `(N, H, W, C)` crops."""
        run = graph or self.graph
        batches = []
        with torch.inference_mode():
            for start in range(0, len(crops), _BATCH):
                answer = run(torch.from_numpy(crops[start : start + _BATCH]))
                batches.append([part.numpy() for part in (answer if isinstance(answer, tuple) else (answer,))])
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def comparable(outputs: Outputs, card: ModelCard, reference: Outputs) -> NDArray[np.float32]:
    """What the outputs of a graph mean, in numbers that should hardly differ between the forms of a network.

    Args:
        outputs: of any form.
        card: of the network.
        reference: the outputs of the network itself.

    Returns:
        `(N, L)` probabilities by label. Of a detector a row for each place: the probability of a face and, where the
        network sees one, its box (centre from the place, logarithms of its sides, all in strides).
    """
    if card.kind != "detector":
        return calibrated(outputs[0], card)
    places, seen = (
        np.concatenate([np.moveaxis(level[:, :5], 1, -1).reshape(-1, 5) for level in levels])
        for levels in (outputs, reference)
    )
    is_face = sigmoid(seen[:, :1]) >= card.threshold
    # NaN stays NaN where no face is seen.
    return np.concatenate([sigmoid(places[:, :1]), places[:, 1:] * is_face], axis=1)


class _Normalised(nn.Module):
    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network, self.dtype = network, torch.float32
        # One number for all channels is subtracted faster than one for each.
        means = mean[:1] if len(set(mean)) == 1 else mean
        self.register_buffer("mean", 255 * torch.tensor(means).view(-1, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std).view(-1, 1, 1))

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        normalised = (image.permute(0, 3, 1, 2).float() - self.mean) / self.std
        output = self.network(normalised.to(self.dtype))
        return tuple(part.float() for part in output) if isinstance(output, tuple) else output.float()
