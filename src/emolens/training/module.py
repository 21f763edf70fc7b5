"""What the trainings of all networks have in common."""

from collections.abc import Sequence
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn

from emolens.training.optimisation import Optimisation, configure


class NetworkModule(lightning.LightningModule):
    """A network that is trained, with the normalisation of its pixels.

    Args:
        network: what is trained.
        mean: per channel, of pixels in 0 to 1.
        std: likewise.
        plan: how its weights are moved.

    Attributes:
        monitor: the held-out figure by which an epoch is the best.
        mode: whether it should fall or rise.
    """

    monitor: str
    mode: Literal["min", "max"]
    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float], plan: Optimisation) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.plan = plan
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def normalised(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` pixels of 0 to 255 as the network takes them."""
        return normalise(images, self.mean, self.std)

    def configure_optimizers(self) -> Any:
        return configure(self, self.plan, self.monitor, self.mode)


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """`(N, C, H, W)` pixels of 0 to 255 as networks take them, with channels last in memory.

    Args:
        images: of any number type.
        mean: `(C, 1, 1)`, of pixels in 0 to 1.
        std: likewise.
    """
    return ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
