"""What a model sees of a photograph: the crops that `Predictor` would show it, in its order."""

import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.detect.base import Detector
from emolens.image import ImageSource, Limits, crop_face, decode


def cut_crops(
    source: ImageSource, card: ModelCard, detector: Detector | None, limits: Limits = Limits()
) -> list[NDArray[np.uint8]]:
    """Cuts the faces out of a photograph, the largest first; none where none is found.

    Args:
        source: see `ImageSource`.
        card: says how large a crop is and how it is cut.
        detector: finds the faces; `None` takes the whole image for the only crop.
        limits: what is refused.

    Returns:
        Arrays `(H, W, C)` uint8.

    Raises:
        ImageError: the image cannot be read.
    """
    size = card.input
    photo = decode(source, limits, 4 * max(size.height or 0, size.width or 0) if detector is None else detector.size)
    if detector is None:
        return [crop_face(photo.pixels, None, card.crop, size)]
    boxes = detector.detect(photo.pixels).boxes
    # Of a face at the picture's edge only the part that is in it counts.
    low, high = boxes[:, :2].clip(0), np.minimum(boxes[:, :2] + boxes[:, 2:], photo.pixels.shape[1::-1])
    areas = (high - low).clip(0).prod(axis=1)
    order = [index for index in np.argsort(-areas, kind="stable") if areas[index] > 0]
    return [crop_face(photo.pixels, (x, y, w, h), card.crop, size) for x, y, w, h in boxes[order].tolist()]
