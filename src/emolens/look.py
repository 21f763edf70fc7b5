"""The first step of the first flow, all that comes before the model: an image decoded, searched for faces and cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from emolens.classifier import Framing
from emolens.detect.base import Detector
from emolens.image import ImageSource, Limits, Photo, crop_face, decode, source_name
from emolens.results import Box

Framed = tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Look:
    """What is kept of an image on its way to the model.

    Attributes:
        boxes: `(F, 4)` float32, `x, y, w, h` in pixels of the upright image as stored, within it, largest first.
        scores: `(F,)` float32.
        framed: per framing of the model `(F, H, W, C)` uint8; one face where the whole image is classified.
        milliseconds: `decode, detect`.
    """

    name: str
    width: int
    height: int
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    framed: Framed
    milliseconds: dict[str, float]

    def __len__(self) -> int:
        """How many crops the model has to classify."""
        return len(self.framed[0])


class Looker:
    """Takes looks at images; may be used by several threads at once.

    Args:
        framings: of the model that the crops are for.
        detector: finds the faces; `None` takes the whole image.
        limits: what is refused before memory is spent on it.
    """

    def __init__(self, framings: Sequence[Framing], detector: Detector | None, limits: Limits = Limits()) -> None:
        self.framings, self.detector, self.limits = framings, detector, limits

    def look(self, source: ImageSource, name: str | None = None) -> Look:
        """Decodes, detects and crops.

        Args:
            source: see `ImageSource`.
            name: of the image in results and messages; `None` takes its path, or a name for what it is.

        Raises:
            ImageError: it cannot be read; see `emolens.image.decode` for the codes.
        """
        name = source_name(source) if name is None else name
        start = perf_counter()
        photo = decode(source, self.limits, self._side())
        decoded = perf_counter()
        boxes, scores, framed = self._crops(photo)
        milliseconds = {"decode": 1e3 * (decoded - start), "detect": 1e3 * (perf_counter() - decoded)}
        return Look(name, photo.width, photo.height, boxes, scores, framed, milliseconds)

    def frame(self, faces: Sequence[tuple[NDArray[np.uint8], Box | None]]) -> Framed:
        """Every face as the model wants it, from pixels and the box in them; without a box all pixels are the face."""
        return tuple(
            np.array([crop_face(pixels, box, crop, size) for pixels, box in faces], np.uint8).reshape(
                -1, size.height or 0, size.width or 0, size.channels
            )
            for crop, size in self.framings
        )

    def _side(self) -> int | None:
        """The longest side, in pixels, that is needed of an image; None for every pixel."""
        if self.detector is not None:
            return self.detector.size
        # Four times as much as a model sees, so that the shorter side of a wide image has enough, too.
        return 4 * max(max(size.height or 0, size.width or 0) for _, size in self.framings)

    def _crops(self, photo: Photo) -> tuple[NDArray[np.float32], NDArray[np.float32], Framed]:
        """Boxes in pixels of the stored image, largest first, with scores and crops; or the whole image as one crop."""
        if self.detector is None:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), self.frame([(photo.pixels, None)])
        found = self.detector.detect(photo.pixels)
        boxes = _clipped(found.boxes * photo.scale, photo.width, photo.height)
        areas = boxes[:, 2] * boxes[:, 3]
        order = [index for index in np.argsort(-areas, kind="stable") if areas[index] > 0]
        framed = self.frame([(photo.pixels, as_box(found.boxes[index])) for index in order])
        return boxes[order], found.scores[order], framed


def as_box(row: NDArray[np.float32]) -> Box:
    """A row of boxes as plain numbers."""
    x, y, w, h = row.tolist()
    return x, y, w, h


def _clipped(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """The parts of the boxes, `x, y, w, h`, that lie within the image; possibly of no area."""
    edge = np.array((width, height), np.float32)
    low = boxes[:, :2].clip(0, edge)
    high = (boxes[:, :2] + boxes[:, 2:]).clip(0, edge)
    return np.concatenate([low, high - low], axis=1)
