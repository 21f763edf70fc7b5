"""The networks of timm, by name, with a head of our own."""

from collections.abc import Sequence
from typing import Any

import timm
from timm.models import group_parameters
from torch import nn

from emolens.errors import ConfigError
from emolens.networks.base import Network


class TimmNetwork(Network):
    """A backbone of timm, with random weights, under a linear head or one with a hidden layer.

    Args:
        name: timm's, with or without the tag of its weights, such as `resnet50.a1_in1k`.
        classes: number of logits.
        channels: of the input.
        size: height and width of the input, for backbones that are built for one size; timm's own where it is None.
        hidden: width of the head's hidden layer, or None for a linear head.
        dropout: before the last layer.
    """

    features: Any

    def __init__(
        self,
        name: str,
        classes: int,
        channels: int = 3,
        size: Sequence[int] | None = None,
        hidden: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.name = name
        self.arguments: dict[str, Any] = {"in_chans": channels}
        pretraining = timm.get_pretrained_cfg(name)
        if size is not None and pretraining is not None and pretraining.fixed_input_size:
            self.arguments["img_size"] = tuple(size)
        self.features = timm.create_model(name, num_classes=0, **self.arguments)
        width: int = self.features.head_hidden_size
        layers: list[nn.Module] = []
        if hidden is not None:
            layers += [nn.Linear(width, hidden), nn.ReLU(inplace=True)]
        self.head = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(hidden or width, classes))

    def stages(self) -> list[list[nn.Parameter]]:
        """As timm groups the layers; its stem belongs to the first stage. A transformer's stages are its blocks."""
        try:
            groups: dict[int, list[str]] = group_parameters(self.features, self.features.group_matcher(coarse=True))
            stem, first, *others = [[self.features.get_parameter(name) for name in groups[at]] for at in sorted(groups)]
        except (AssertionError, AttributeError, ValueError):
            raise ConfigError(
                f"timm knows no stages of {self.name}; network.freeze is backbone or none there"
            ) from None
        return [stem + first, *others]
