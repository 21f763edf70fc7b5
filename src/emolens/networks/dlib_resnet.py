"""The residual network with which dlib recognises faces (King, 2017): 29 convolutions, the last of 256 channels.

Its weights, learnt from three million faces, are a good beginning for whatever else is read in a face;
`emolens.export.face_api` turns the ones that face-api.js carries into a file for `network.weights`.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional

from emolens.networks.base import Network

# (name as in face-api.js, channels in, channels out, whether it halves the resolution)
_BLOCKS = (
    ("conv32_1", 32, 32, False),
    ("conv32_2", 32, 32, False),
    ("conv32_3", 32, 32, False),
    ("conv64_down", 32, 64, True),
    ("conv64_1", 64, 64, False),
    ("conv64_2", 64, 64, False),
    ("conv64_3", 64, 64, False),
    ("conv128_down", 64, 128, True),
    ("conv128_1", 128, 128, False),
    ("conv128_2", 128, 128, False),
    ("conv256_down", 128, 256, True),
    ("conv256_1", 256, 256, False),
    ("conv256_2", 256, 256, False),
    ("conv256_down_out", 256, 256, True),
)


class DlibResNet(Network):
    """Takes `(N, channels, H, W)` normalised float of any size, gives `(N, classes)` logits.

    Args:
        classes: number of logits.
        channels: of the input.
        resolution: crops are enlarged to this side first, 104 or more; the original was trained at 150.
        dropout: before the classifier.
        blocks: how many of the 14 there are, from the image on; weights of the others are left out of a file.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        resolution: int = 112,
        dropout: float = 0.4,
        blocks: int = len(_BLOCKS),
    ) -> None:
        super().__init__()
        self.left_out = tuple(f"features.{name}." for name, *_ in _BLOCKS[blocks:])
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            enlarge=nn.Upsample((resolution, resolution), mode="bilinear"),
            conv32_down=_Convolution(channels, 32, kernel=7, stride=2, padding=0),
            activation=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d(3, 2),
        )
        for name, width_in, width, halves in _BLOCKS[:blocks]:
            parts[name] = _Block(width_in, width, halves)
        parts["average"] = nn.AdaptiveAvgPool2d(1)
        parts["flat"] = nn.Flatten()
        self.features = nn.Sequential(parts)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(_BLOCKS[blocks - 1][2], classes))


class _Convolution(nn.Sequential):
    def __init__(self, width_in: int, width: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width_in, width, kernel, stride, padding)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.conv.get_parameter("bias"))


class _Block(nn.Module):
    """Two convolutions beside a shortcut without weights: averaged where the block halves, zero in new channels."""

    def __init__(self, width_in: int, width: int, halves: bool) -> None:
        super().__init__()
        self.halves, self.added = halves, width - width_in
        # As in the original, a halving convolution does not pad; its result is padded on the right and below instead.
        self.conv1 = _Convolution(width_in, width, stride=2 if halves else 1, padding=0 if halves else 1)
        self.conv2 = _Convolution(width, width)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        body: Tensor = self.conv2(functional.relu(self.conv1(features)))
        shortcut = features
        if self.halves:
            shortcut = functional.avg_pool2d(features, 2)
            missing = shortcut.shape[2] - body.shape[2], shortcut.shape[3] - body.shape[3]
            body = functional.pad(body, (0, missing[1], 0, missing[0]))
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        output: Tensor = self.activation(body + shortcut)
        return output
