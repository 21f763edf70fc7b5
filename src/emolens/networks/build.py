"""Networks by name."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from torch import nn

from emolens.networks.face import FaceResNet

_NETWORKS: dict[str, Callable[..., nn.Module]] = {"face_resnet": FaceResNet}


class NetworkChoice(BaseModel):
    """A network's name and what its constructor takes besides the number of classes and channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["face_resnet"]
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    dropout: float = 0.2

    def build(self, classes: int, channels: int) -> nn.Module:
        """A fresh network: `(N, channels, H, W)` normalised float in, `(N, classes)` logits out."""
        arguments: dict[str, Any] = self.model_dump(exclude={"name"})
        return _NETWORKS[self.name](classes, channels=channels, **arguments)
