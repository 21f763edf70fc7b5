"""Samples -> crops for a classifier: as the dataset cuts its faces, or as a detector finds them in the photographs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emolens.classifier import Framing
from emolens.data.crops import decode_sample, map_samples
from emolens.data.samples import Sample
from emolens.detect.base import Detector
from emolens.detect.boxes import iou
from emolens.errors import ImageError
from emolens.image import Photo, crop_face
from emolens.results import Box

ENOUGH = 0.35
"""The overlap (intersection over union) from which on a box that was found is the one that was meant."""


# Crops in memory at once: enough to keep the decoding threads busy, 77 MB at 224 x 224 x 3.
_CHUNK = 512


@dataclass(frozen=True)
class Cuts:
    """What became of some samples.

    Attributes:
        framed: per framing `(F, H, W, C)` uint8: the faces that are there, in the samples' order.
        answered: `(N,)` bool: which samples have a face.
        boxes: of each sample the box that was cut, in pixels of the stored image; None where there is none.
        sizes: `(N,)` float32: the root of the area, in pixels, of that box or, without one, of the picture; NaN where
            there is no face.
        unreadable: the samples whose image cannot be read, by index, each with "name: why"; they are not answered.
    """

    framed: tuple[NDArray[np.uint8], ...]
    answered: NDArray[np.bool_]
    boxes: tuple[Box | None, ...]
    sizes: NDArray[np.float32]
    unreadable: dict[int, str]


def cut(samples: Sequence[Sample], framings: Sequence[Framing], detector: Detector | None = None) -> Cuts:
    """Decodes and crops samples.

    With a detector as the `Predictor` does it: the photograph is searched at the detector's size and cut there. A
    sample's face is the box that was found with the most overlap with its own, `ENOUGH` or more of it; of a sample
    without a box, the largest that was found.
    """
    each = list(map_samples(lambda sample: _cut(sample, framings, detector), samples))
    faces = [one for one in each if isinstance(one, _Face)]
    framed = tuple(
        np.array([face.crops[index] for face in faces], np.uint8).reshape(
            len(faces), size.height or 0, size.width or 0, size.channels
        )
        for index, (_, size) in enumerate(framings)
    )
    return Cuts(
        framed,
        np.array([isinstance(one, _Face) for one in each], bool),
        tuple(one.box if isinstance(one, _Face) else None for one in each),
        np.array([one.size if isinstance(one, _Face) else np.nan for one in each], np.float32),
        {index: one for index, one in enumerate(each) if isinstance(one, str)},
    )


def cut_in_chunks(
    samples: Sequence[Sample], framings: Sequence[Framing], detector: Detector | None = None
) -> Iterator[tuple[slice, Cuts]]:
    """The same of any number of samples: for some at a time their place, and what became of them.

    What is unreadable has its index among all samples, as `Dataset.without` takes it.
    """
    for start in range(0, len(samples), _CHUNK):
        part = samples[start : start + _CHUNK]
        cuts = cut(part, framings, detector)
        unreadable = {start + index: why for index, why in cuts.unreadable.items()}
        yield slice(start, start + len(part)), replace(cuts, unreadable=unreadable)


@dataclass(frozen=True)
class _Face:
    crops: tuple[NDArray[np.uint8], ...]
    box: Box | None
    size: float


def _cut(sample: Sample, framings: Sequence[Framing], detector: Detector | None) -> _Face | str | None:
    """The face; None where it was not found; or why the image cannot be read."""
    try:
        photo = decode_sample(sample, None if detector is None else detector.size)
    except ImageError as error:
        return f"{sample.name}: {error}"  # not the error itself, which would keep the image
    shown = sample.box
    if detector is not None:
        shown = _found(photo, sample.box, detector)
        if shown is None:
            return None
    crops = tuple(crop_face(photo.pixels, shown, crop, size) for crop, size in framings)
    if shown is None:
        return _Face(crops, None, math.sqrt(photo.width * photo.height))
    x, y, w, h = (value * photo.scale for value in shown)
    return _Face(crops, (x, y, w, h), math.sqrt(max(w * h, 0)))


def _found(photo: Photo, meant: Box | None, detector: Detector) -> Box | None:
    """The box of the face in the pixels of `photo`, which may be smaller than the stored image."""
    boxes = detector.detect(photo.pixels).boxes
    if not len(boxes):
        return None
    if meant is None:
        best = int((boxes[:, 2] * boxes[:, 3]).argmax())
    else:
        overlap = iou(np.array([meant], np.float32) / np.float32(photo.scale), boxes)[0]
        best = int(overlap.argmax())
        if overlap[best] < ENOUGH:
            return None
    x, y, w, h = boxes[best].tolist()
    return x, y, w, h
