"""Kernels over every second pixel of a grey picture, as kernels over blocks of 2x2 pixels as channels; and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_blocks(kernel: NDArray[Any]) -> NDArray[Any]:
    """`(N, 1, h, w)` -> `(N, 4, ceil(h / 2), ceil(w / 2))`, in the order of channels of `SpaceToDepth`."""
    even = np.pad(kernel, [(0, 0), (0, 0), *((0, side % 2) for side in kernel.shape[2:])])
    count, _, height, width = even.shape
    blocks = even.reshape(count, height // 2, 2, width // 2, 2).transpose(0, 2, 4, 1, 3)
    return blocks.reshape(count, 4, height // 2, width // 2)


def from_blocks(blocks: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The kernel of that height and width that `to_blocks` made these of."""
    count, _, rows, columns = blocks.shape
    kernel = blocks.reshape(count, 2, 2, rows, columns).transpose(0, 3, 1, 4, 2)
    return kernel.reshape(count, 1, 2 * rows, 2 * columns)[..., :height, :width]
