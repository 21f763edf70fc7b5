"""A plain small network for 224x224 RGB, of the kind that people write as a baseline."""

from itertools import pairwise

from torch import nn

from emolens.networks.base import Network

_CONVOLUTIONS = (32, 64, 128, 256)
_DENSE = 128


class CustomCnn(Network):
    """Four convolutions, averaged over the picture; one hidden layer.

    Takes `(N, channels, H, W)` normalised float, H and W at least 16; gives `(N, classes)` logits.
    """

    def __init__(self, classes: int, channels: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(_convolution(before, width) for before, width in pairwise((channels, *_CONVOLUTIONS))),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Sequential(nn.Linear(_CONVOLUTIONS[-1], _DENSE), nn.ReLU(inplace=True), nn.Dropout(0.5)),
        )
        self.head = nn.Linear(_DENSE, classes)


def _convolution(width_in: int, width: int) -> nn.Sequential:
    """A 3x3 convolution with batch norm and ReLU; half the resolution comes out."""
    return nn.Sequential(
        nn.Conv2d(width_in, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),  # the same after the pooling, on a quarter of the values
    )
