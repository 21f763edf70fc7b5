"""A network of the kind that FER2013 notebooks train: four convolutional blocks, then four fully connected layers."""

from itertools import pairwise

from torch import nn

from emolens.networks.base import Network

_SIDE = 48
_BLOCKS = (32, 64, 128, 256)
_DENSE = (512, 256, 128, 64)
_DROPOUTS = (0.40, 0.20, 0.10, 0.50)


class Cnn48(Network):
    """Takes `(N, channels, 48, 48)` normalised float, gives `(N, classes)` logits."""

    def __init__(self, classes: int, channels: int = 1) -> None:
        super().__init__()
        halvings = len(_BLOCKS)
        flat = _BLOCKS[-1] * (_SIDE // 2**halvings) ** 2
        self.features = nn.Sequential(
            *(_block(before, width) for before, width in pairwise((channels, *_BLOCKS))),
            nn.Flatten(),
            *(
                nn.Sequential(nn.Linear(before, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Dropout(share))
                for (before, width), share in zip(pairwise((flat, *_DENSE)), _DROPOUTS, strict=True)
            ),
        )
        self.head = nn.Linear(_DENSE[-1], classes)


def _block(width_in: int, width: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch norm and ReLU; half the resolution comes out."""
    return nn.Sequential(
        *_convolution(width_in, width),
        nn.ReLU(inplace=True),
        *_convolution(width, width),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),  # the same after the pooling, on a quarter of the values
    )


def _convolution(width_in: int, width: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(width_in, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
