"""A network small enough for a few hundred pictures of emoji: two convolutions, two dense layers."""

from torch import nn

from emolens.networks.base import Network

_CONVOLUTIONS = (32, 64)
_DENSE = 64
_POOLED = 6


class EmojiCnn(Network):
    """Conv32, pool, Conv64, pool to 6x6, dense 64, dense `classes`.

    The second pool leaves no more than where about eyes and mouth are, so that the dense layers stay small.

    Takes `(N, channels, H, W)` normalised float, H and W multiples of 12; gives `(N, classes)` logits.
    """

    def __init__(self, classes: int, channels: int = 1, dropout: float = 0.3) -> None:
        super().__init__()
        first, second = _CONVOLUTIONS
        self.features = nn.Sequential(
            _convolution(channels, first),
            nn.MaxPool2d(2),
            _convolution(first, second),
            nn.AdaptiveMaxPool2d(_POOLED),
            nn.Flatten(),
            nn.Sequential(
                nn.Linear(second * _POOLED**2, _DENSE),
                nn.BatchNorm1d(_DENSE),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
            ),
        )
        self.head = nn.Linear(_DENSE, classes)


def _convolution(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
