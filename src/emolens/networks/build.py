"""Networks by name."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from emolens.networks.face import FaceResNet

_NETWORKS: dict[str, Callable[..., nn.Module]] = {"face_resnet": FaceResNet}


class NetworkChoice(BaseModel):
    """A network's name and what its constructor takes besides the number of classes and channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["face_resnet"]
    widths: tuple[Annotated[int, Field(gt=0)], ...]
    blocks: tuple[Annotated[int, Field(gt=0)], ...]
    dropout: float = Field(0.2, ge=0, lt=1)
    stem_stride: int = Field(2, ge=1, le=2)

    @model_validator(mode="after")
    def _stages_agree(self) -> Self:
        if len(self.widths) != len(self.blocks):
            raise ValueError(f"{len(self.widths)} widths and {len(self.blocks)} blocks; each stage has one of both")
        return self

    def build(self, classes: int, channels: int) -> nn.Module:
        """A fresh network: `(N, channels, H, W)` normalised float in, `(N, classes)` logits out."""
        arguments: dict[str, Any] = self.model_dump(exclude={"name"})
        return _NETWORKS[self.name](classes, channels=channels, **arguments)
