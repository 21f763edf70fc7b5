"""What every classifier's network has in common: features, a head, and parts that may be frozen."""

from typing import Self

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class Network(nn.Module):
    """Features and a head; what is frozen stays in evaluation mode while the rest trains.

    Attributes:
        features: from the image to what the head classifies.
        head: what other labels need anew.
        keeps_statistics: batch norm works with the statistics that it has, whether or not it is frozen.
        left_out: how the names of weights begin that only a larger version of the network has.

    Takes `(N, channels, H, W)` normalised float, gives `(N, classes)` logits.
    """

    features: nn.Module
    head: nn.Module
    keeps_statistics = False
    left_out: tuple[str, ...] = ()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images))
        return logits

    def stages(self) -> list[list[nn.Parameter]]:
        """The parameters of the features, from the image on, in the stages that a recipe can freeze."""
        return [parameters for part in self.features.children() if (parameters := list(part.parameters()))]

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if mode:
            # A frozen batch norm would go on learning what pictures look like, and a frozen dropout go on dropping.
            for part in self.modules():
                if _is_frozen(part) or (self.keeps_statistics and isinstance(part, _BatchNorm)):
                    part.eval()
        return self


def _is_frozen(part: nn.Module) -> bool:
    parameters = list(part.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
