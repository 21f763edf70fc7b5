"""What every detector takes and gives."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detections:
    """The faces of one image, best score first.

    Attributes:
        boxes: `(N, 4)` float32, `x, y, w, h` in pixels of the array that was searched.
        scores: `(N,)` float32 in 0 to 1.
        landmarks: `(N, 5, 2)` float32, `x, y` of right eye, left eye, nose, right and left mouth corner (the person's
            right, which stands left in the picture), or None.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def only(self, kept: NDArray[np.bool_]) -> "Detections":
        """Those for which `(N,)` `kept` is true."""
        return Detections(self.boxes[kept], self.scores[kept], None if self.landmarks is None else self.landmarks[kept])


class Detector(Protocol):
    """Finds faces; may be called from several threads at once.

    Attributes:
        name: of the detector.
        size: the longest side, in pixels, at which it searches; larger images are reduced to it. None searches every
            pixel.
    """

    name: str
    size: int | None

    def detect(self, image: NDArray[Any]) -> Detections:
        """Searches an `(H, W, 3)` uint8 RGB array."""
        ...

    def for_many(self) -> "Detector":
        """The same for pictures that are searched side by side: in one thread a call, unless a number was given."""
        ...
