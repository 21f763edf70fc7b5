"""A small residual network for grey face crops of some 48 pixels (after He et al., 2015)."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from torch import Tensor, nn

from emolens.networks.base import Network

_STEM = 2  # layers before the first block


class FaceResNet(Network):
    """Residual stages over one convolution; the last stage is averaged and classified.

    Args:
        classes: number of logits.
        widths: channels of each stage; every stage after the first halves the resolution.
        blocks: residual blocks in each stage.
        channels: of the input.
        dropout: before the classifier.
        stem_stride: 2 halves the resolution at once, 1 keeps it for the first stage, at four times its cost.

    Takes `(N, channels, H, W)` normalised float, gives `(N, classes)` logits.
    """

    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        widths: Sequence[int] = (32, 64, 128),
        blocks: Sequence[int] = (2, 2, 2),
        channels: int = 1,
        dropout: float = 0.2,
        stem_stride: int = 2,
    ) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        layers: list[nn.Module] = [_conv(channels, widths[0], stem_stride), nn.ReLU(inplace=True)]
        width_in = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for index in range(count):
                layers.append(ResidualBlock(width_in, width, stride=2 if stage > 0 and index == 0 else 1))
                width_in = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(width_in, classes)
        )

    def stages(self) -> list[list[nn.Parameter]]:
        """One per width; the first convolution belongs to the first."""
        ends = [_STEM + count for count in accumulate(self.blocks)]
        return [list(self.features[start:end].parameters()) for start, end in pairwise([0, *ends])]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        last = _conv(width, width)
        self.body = nn.Sequential(_conv(width_in, width, stride), nn.ReLU(inplace=True), last)
        # The residual branch starts at zero, so that a deep network begins as a shallow one (Goyal et al., 2017).
        nn.init.zeros_(last.get_parameter("1.weight"))
        same = stride == 1 and width_in == width
        self.shortcut = nn.Identity() if same else _conv(width_in, width, stride, kernel=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = self.activation(self.body(features) + self.shortcut(features))
        return output


def _conv(width_in: int, width: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
    )
