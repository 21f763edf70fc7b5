"""Networks by name: all that a recipe's `network` can say."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, WrapValidator, field_validator, model_validator

from emolens.errors import ConfigError
from emolens.labels import did_you_mean
from emolens.networks.base import Network
from emolens.networks.cnn48 import Cnn48
from emolens.networks.custom_cnn import CustomCnn
from emolens.networks.dlib_resnet import DlibResNet
from emolens.networks.emoji_cnn import EmojiCnn
from emolens.networks.face import FaceResNet

Size = tuple[int, int]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Choice(_Part, ABC):
    """What every network can be given.

    Attributes:
        name: of the network.
        freeze: what is not trained: `backbone` is all but the head, `stages:2` the first two stages from the image on.
        weights: a `.safetensors` file to begin with: `weights.safetensors` of a run, or for timm's networks also one of
            timm's.
    """

    name: str
    freeze: str = "none"
    weights: Path | None = None

    @field_validator("freeze")
    @classmethod
    def _freeze_is_known(cls, freeze: str) -> str:
        if not re.fullmatch(r"none|backbone|stages:[1-9][0-9]*", freeze):
            raise ValueError(f"'{freeze}' cannot be frozen; write backbone, none, or stages:N with N from 1")
        return freeze

    @field_validator("weights")
    @classmethod
    def _weights_are_safetensors(cls, weights: Path | None) -> Path | None:
        if weights is not None and weights.suffix != ".safetensors":
            raise ValueError(f"{weights} is no .safetensors file; other formats can run code when they are opened")
        return weights

    @model_validator(mode="after")
    def _frozen_is_known(self) -> Self:
        if self.freeze != "none" and not self._begins_trained():
            raise ValueError(
                f"freeze: {self.freeze} keeps random weights; begin with trained ones: "
                "weights=FILE.safetensors, timm's pretrained=true, or init=face of dlib_resnet"
            )
        return self

    def _begins_trained(self) -> bool:
        return self.weights is not None

    def build(self, classes: int, channels: int, size: Size | None = None) -> Network:
        """The network, frozen as the choice says, with random weights; nothing is read or downloaded.

        Args:
            classes: number of logits.
            channels: of the images.
            size: height and width of the images; None where they are those that the network is made for.

        Returns:
            A network that takes `(N, channels, H, W)` normalised float and gives `(N, classes)` logits.

        Raises:
            ConfigError: the network cannot take such images, or has fewer stages than are to be frozen.
        """
        try:
            network = self._make(classes, channels, size)
            if size is not None:
                with torch.no_grad():
                    network.eval()(torch.zeros(1, channels, *size))
        except (AssertionError, RuntimeError, TypeError, ValueError) as error:
            shape = f" of {size[0]}x{size[1]}" if size else ""
            reason = str(error).strip().partition("\n")[0][:200]
            raise ConfigError(
                f"network {self.name} cannot take images{shape} with {channels} channels: {reason}; "
                "change the recipe's input, or take another network"
            ) from None
        self._freeze(network)
        network.train()
        return network

    def initialise(self, network: Network, labels: Sequence[str]) -> None:  # noqa: ARG002 (heads of files have no names)
        """Puts in the weights that a new training begins with; an export or a resumed training has its own.

        Args:
            network: what `build` made.
            labels: of its logits.

        Raises:
            ConfigError: the weights cannot be read, downloaded, or do not fit.
        """
        if self.weights is not None:
            from emolens.networks.weights import load_weights

            load_weights(network, self.weights)

    @abstractmethod
    def _make(self, classes: int, channels: int, size: Size | None) -> Network:
        """The network, not frozen yet."""

    def _freeze(self, network: Network) -> None:
        if self.freeze == "none":
            return
        if self.freeze == "backbone":
            network.features.requires_grad_(False)
            return
        stages, count = network.stages(), int(self.freeze.removeprefix("stages:"))
        if count > len(stages):
            raise ConfigError(f"network.freeze={self.freeze}: {self.name} has {len(stages)} stages")
        for stage in stages[:count]:
            for parameter in stage:
                parameter.requires_grad_(False)


_Positive = Annotated[int, Field(gt=0)]


class FaceResNetChoice(_Choice):
    """See `emolens.networks.face.FaceResNet`."""

    name: Literal["face_resnet"]
    widths: tuple[_Positive, ...] = (32, 64, 128, 192)
    blocks: tuple[_Positive, ...] = (1, 2, 2, 1)
    dropout: float = Field(0.2, ge=0, lt=1)
    stem_stride: int = Field(2, ge=1, le=2)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if len(self.widths) != len(self.blocks):
            raise ValueError(f"{len(self.widths)} widths and {len(self.blocks)} blocks; each stage has one of both")
        return self

    def _make(self, classes: int, channels: int, _: Size | None) -> Network:
        return FaceResNet(classes, self.widths, self.blocks, channels, self.dropout, self.stem_stride)


class Cnn48Choice(_Choice):
    """See `emolens.networks.cnn48.Cnn48`."""

    name: Literal["cnn48"]

    def _make(self, classes: int, channels: int, _: Size | None) -> Network:
        return Cnn48(classes, channels)


class CustomCnnChoice(_Choice):
    """See `emolens.networks.custom_cnn.CustomCnn`."""

    name: Literal["custom_cnn"]

    def _make(self, classes: int, channels: int, _: Size | None) -> Network:
        return CustomCnn(classes, channels)


class EmojiCnnChoice(_Choice):
    """See `emolens.networks.emoji_cnn.EmojiCnn`."""

    name: Literal["emoji_cnn"]
    dropout: float = Field(0.3, ge=0, lt=1)

    def _make(self, classes: int, channels: int, _: Size | None) -> Network:
        return EmojiCnn(classes, channels, self.dropout)


class DlibResNetChoice(_Choice):
    """See `emolens.networks.dlib_resnet.DlibResNet`; resolution and blocks are those of the embedded model.

    Attributes:
        init: `face` begins with the weights of the embedded face model.
    """

    name: Literal["dlib_resnet"]
    resolution: int = Field(104, ge=104, le=224)
    dropout: float = Field(0.4, ge=0, lt=1)
    blocks: int = Field(12, ge=1, le=14)
    init: Literal["face"] | None = None

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if self.init and self.weights:
            raise ValueError("init and weights both say what to begin with; leave one of them out")
        return self

    def _begins_trained(self) -> bool:
        return self.init is not None or super()._begins_trained()

    def initialise(self, network: Network, labels: Sequence[str]) -> None:
        super().initialise(network, labels)
        if self.init is not None:
            from emolens.networks.embedded import load_embedded_face

            load_embedded_face(network, labels)

    def _make(self, classes: int, channels: int, _: Size | None) -> Network:
        network = DlibResNet(classes, channels, self.resolution, self.dropout, self.blocks)
        network.keeps_statistics = self.init is not None
        return network


class Head(_Part):
    """Linear, or Linear, ReLU, Dropout, Linear where `hidden` is a width."""

    hidden: _Positive | None = None
    dropout: float = Field(0.0, ge=0, lt=1)


class TimmChoice(_Choice):
    """A network of timm; see `emolens.networks.timm_network.TimmNetwork`.

    Attributes:
        name: timm's, such as `resnet18`, or with the tag of its weights, such as `resnet50.a1_in1k`.
        pretrained: begin with timm's weights, downloaded once; `weights` is used instead where it is given.
    """

    pretrained: bool = False
    head: Head = Head()

    @field_validator("name")
    @classmethod
    def _is_timms(cls, name: str) -> str:
        import timm

        if not timm.is_model(name):
            raise ValueError(f"'{name}' is no network of emolens or timm{did_you_mean(name, _OWN, timm.list_models())}")
        tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
        if "." in name and name not in tags:
            raise ValueError(f"'{name}' names no weights of timm{did_you_mean(name, tags)}")
        return name

    def _begins_trained(self) -> bool:
        return self.pretrained or super()._begins_trained()

    def initialise(self, network: Network, labels: Sequence[str]) -> None:
        if self.weights is None and self.pretrained:
            from emolens.networks.hub import pretrained_weights
            from emolens.networks.weights import load_weights

            load_weights(network, pretrained_weights(self.name))
        else:
            super().initialise(network, labels)

    def _make(self, classes: int, channels: int, size: Size | None) -> Network:
        from emolens.networks.timm_network import TimmNetwork

        return TimmNetwork(self.name, classes, channels, size, self.head.hidden, self.head.dropout)


_OWN: dict[str, type[_Choice]] = {
    "face_resnet": FaceResNetChoice,
    "cnn48": Cnn48Choice,
    "custom_cnn": CustomCnnChoice,
    "emoji_cnn": EmojiCnnChoice,
    "dlib_resnet": DlibResNetChoice,
}


def _choose(content: Any, _: Callable[[Any], Any]) -> _Choice:
    if isinstance(content, _Choice):
        return content
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise ValueError(f"a network needs a name: {', '.join(_OWN)}, or one of timm's, such as resnet18")
    return _OWN.get(name, TimmChoice).model_validate(content)


# The name tells them apart. A union that pydantic tells apart would put its own words between the keys of a message.
NetworkChoice = Annotated[
    FaceResNetChoice | Cnn48Choice | CustomCnnChoice | EmojiCnnChoice | DlibResNetChoice | TimmChoice,
    WrapValidator(_choose),
]
