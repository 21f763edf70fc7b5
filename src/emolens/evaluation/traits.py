"""What a picture is like, apart from what it shows: how bright, how sharp."""

import numpy as np
from numpy.typing import NDArray


def crop_traits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Traits of crops, which may come chunk by chunk.

    Args:
        crops: `(N, H, W, C)`.

    Returns:
        `(N, 3)`: brightness (mean grey), contrast (deviation of the grey), and sharpness (mean distance of a pixel from
        its neighbours' mean), all of 0 to 255.
    """
    return np.array([_traits(crop) for crop in crops], dtype=np.float32).reshape(-1, 3)


def _traits(crop: NDArray[np.uint8]) -> tuple[float, float, float]:
    grey = crop.mean(axis=2, dtype=np.float32)
    around = (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
    return float(grey.mean()), float(grey.std()), float(np.abs(grey[1:-1, 1:-1] - around).mean())
