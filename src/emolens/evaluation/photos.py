"""Faces as an application meets them: found in the photograph by a detector, or missed."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import Dataset, Sample
from emolens.detect.base import Detector
from emolens.detect.boxes import iou
from emolens.errors import ImageError
from emolens.image import decode

ENOUGH = 0.35
"""The overlap (intersection over union) from which on a box that was found is the one that was meant."""


def find_faces(dataset: Dataset, detector: Detector) -> tuple[Dataset, NDArray[np.bool_]]:
    """Puts the detector's boxes in the place of the dataset's.

    A sample's face is the box that was found with the most overlap with its own, `ENOUGH` or more of it; of a sample
    without a box, the largest that was found.

    Returns:
        The samples whose image can be read, with the boxes that were found; and `(N,)` bool, whether one was.
    """

    def find(sample: Sample) -> Sample | ImageError | None:
        try:
            return _found(sample, detector)
        except ImageError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(find, dataset.samples))
    unreadable = {
        index: f"{dataset.samples[index].name}: {one}" for index, one in enumerate(found) if isinstance(one, ImageError)
    }
    samples = tuple(one if isinstance(one, Sample) else old for one, old in zip(found, dataset.samples, strict=True))
    is_found = np.array([isinstance(one, Sample) for one in found if not isinstance(one, ImageError)], bool)
    return replace(dataset, samples=samples).without("unreadable_image", unreadable), is_found


def _found(sample: Sample, detector: Detector) -> Sample | None:
    photo = decode(sample.image, side=detector.size)
    boxes = detector.detect(photo.pixels).boxes * np.float32(photo.scale)
    if not len(boxes):
        return None
    if sample.box is None:
        best = int((boxes[:, 2] * boxes[:, 3]).argmax())
    else:
        overlap = iou(np.array([sample.box], np.float32), boxes)[0]
        best = int(overlap.argmax())
        if overlap[best] < ENOUGH:
            return None
    x, y, w, h = boxes[best].tolist()
    return replace(sample, box=(x, y, w, h))
