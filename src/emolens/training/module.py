"""What the trainings of all networks have in common."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from emolens.training.optimisation import Optimisation, configure

logger = logging.getLogger(__name__)


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
        steps: how often the weights will be moved, once that is known.
    """

    monitor: str
    mode: Literal["min", "max"]
    steps: int
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

    def on_train_start(self) -> None:
        self._told = time.monotonic()

    def tell_epoch(self, figures: Mapping[str, float]) -> None:
        """Logs one line: the epoch's figures, and how long the others will take if each takes as long."""
        now, epochs = time.monotonic(), self.plan.epochs
        left = timedelta(seconds=round((epochs - self.current_epoch - 1) * (now - self._told)))
        self._told = now
        line = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        logger.info("epoch %d of %d: %s, %s left", self.current_epoch + 1, epochs, line, left, extra=dict(figures))

    def configure_optimizers(self) -> Any:
        return configure(self, self.plan, self.steps, self.monitor, self.mode)

    def lr_scheduler_step(self, scheduler: Any, *_: Any) -> None:
        # Lightning does it after the epoch's checkpoint, so that a resumed training would miss it; the trainer before.
        if not isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step()


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """`(N, C, H, W)` pixels of 0 to 255 as networks take them, with channels last in memory.

    Args:
        images: of any number type.
        mean: `(C, 1, 1)`, of pixels in 0 to 1.
        std: likewise.
    """
    return ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
