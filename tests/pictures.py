"""Pictures for tests, as the bytes of files."""

import io
from typing import Any

import numpy as np
from PIL import Image


def picture(*faces: tuple[int, int, int, int], size: tuple[int, int] = (200, 120), **options: Any) -> bytes:
    """A PNG of noise with magenta faces, each `(x, y, w, h)`."""
    pixels = np.random.default_rng(1).integers(0, 200, (size[1], size[0], 3), dtype=np.uint8)
    for x, y, w, h in faces:
        pixels[y : y + h, x : x + w] = (255, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()
