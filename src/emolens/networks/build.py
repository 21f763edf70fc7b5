"""Networks by name."""

from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator
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

    @model_validator(mode="after")
    def _stages_agree(self) -> Self:
        if len(self.widths) != len(self.blocks):
            raise ValueError(f"{len(self.widths)} widths and {len(self.blocks)} blocks; each stage has one of both")
        return self

    def build(self, classes: int, channels: int) -> nn.Module:
        """A fresh network: `(N, channels, H, W)` normalised float in, `(N, classes)` logits out."""
        arguments: dict[str, Any] = self.model_dump(exclude={"name"})
        return _NETWORKS[self.name](classes, channels=channels, **arguments)
