"""The face detector's network: one stage, no anchors, three strides, in the manner of YuNet (Wu et al., 2023)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emolens.detect.own import CHANNELS, STRIDES

_PATCH = 4

_RARE = 0.01  # how likely a cell holds a face before anything is learned


class FaceDetector(nn.Module):
    """A backbone down to stride 32, features merged downwards to stride 8, one head per stride.

    The picture is first cut into patches of 4x4 pixels, since nothing costs as much as convolutions over all of its
    pixels; depthwise-separable blocks follow. The 5x5 ones at stride 32 let a cell see a face of several hundred
    pixels.

    Args:
        widths: channels at the strides 4, 8, 16 and 32.
        blocks: residual blocks at these strides.
        neck: channels of the merged features.

    Takes `(N, 3, H, W)` normalised float, H and W multiples of 32; gives three maps `(N, 15, H/s, W/s)` of raw values.
    """

    def __init__(
        self, widths: Sequence[int] = (32, 64, 96, 128), blocks: Sequence[int] = (1, 2, 3, 3), neck: int = 32
    ) -> None:
        super().__init__()
        self.stem = conv(3, widths[0], _PATCH, stride=_PATCH, padding=0)
        self.stages = nn.ModuleList()
        for index, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            down = [Separable(widths[index - 1], width, stride=2)] if index else []
            kernel = 5 if index == len(blocks) - 1 else 3
            self.stages.append(nn.Sequential(*down, *(Separable(width, width, kernel) for _ in range(count))))
        self.laterals = nn.ModuleList(conv(width, neck, 1, padding=0, act=False) for width in widths[1:])
        self.heads = nn.ModuleList(nn.Sequential(Separable(neck, neck), _last(neck)) for _ in STRIDES)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        features = self.stages[0](self.stem(images))
        levels = []
        for stage, lateral in zip(self.stages[1:], self.laterals, strict=True):
            features = stage(features)
            levels.append(lateral(features))
        for index in reversed(range(len(levels) - 1)):
            levels[index] = levels[index] + F.interpolate(levels[index + 1], scale_factor=2.0, mode="nearest")
        return tuple(head(F.relu(level)) for head, level in zip(self.heads, levels, strict=True))


class Separable(nn.Module):
    """A depthwise convolution and a 1x1 one, beside a shortcut where the shape allows."""

    def __init__(self, width_in: int, width: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(width_in, width_in, kernel, stride=stride, padding=kernel // 2, groups=width_in),
            conv(width_in, width, 1, padding=0, act=False),
        )
        self.has_shortcut = stride == 1 and width_in == width

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = self.body(features)
        # In this order ONNX Runtime makes one step of the convolution, the sum and the ReLU.
        return F.relu(features + output if self.has_shortcut else output)


def conv(
    width_in: int, width: int, kernel: int, *, stride: int = 1, padding: int, groups: int = 1, act: bool = True
) -> nn.Sequential:
    """Convolution, batch norm and, with `act`, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(width_in, width, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(width),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if act else nn.Sequential(*layers)


def _last(width: int) -> nn.Conv2d:
    layer = nn.Conv2d(width, CHANNELS, 1)
    nn.init.normal_(layer.weight, std=0.01)
    bias = torch.zeros(CHANNELS)
    bias[0] = -math.log(1 / _RARE - 1)
    layer.bias = nn.Parameter(bias)
    return layer
