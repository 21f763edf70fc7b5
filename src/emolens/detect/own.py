"""The detector that emolens trains itself (`networks/detector.py`), from its model file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.detect.base import Detections
from emolens.detect.boxes import area, at_cells, joined, standing
from emolens.detect.fit import fit
from emolens.errors import ModelError
from emolens.probability import logit, sigmoid
from emolens.session import Device, ModelSession, run_session, session_metadata

STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"map_{stride}" for stride in STRIDES)

# Per cell: the score's logit, the box (centre and log size, in strides), five landmarks (in strides).
CHANNELS = 1 + 4 + 10

# The network has learnt from faces of up to so many pixels, a tenth more than its crops. Larger pictures are searched
# once more at a glance: at no more than this longest side, by a whole factor since that is fast, for faces of so many
# pixels there.
_LARGEST_FACE = 422
_GLANCE = 192
_LARGE = 32


class OwnDetector(ModelSession):
    """A detector out of a model file of kind `detector`.

    Args:
        path: the model file.
        size: a picture whose longest side is over this is searched smaller; None searches every pixel.
        score_threshold: faces under it are left out; None takes the card's.
        device: see `open_session`.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing, is not ONNX, has no card, or is no detector of ours.
    """

    def __init__(
        self,
        path: Path,
        size: int | None = 1024,
        score_threshold: float | None = None,
        device: Device = "auto",
        threads: int = 0,
    ) -> None:
        super().__init__(path, device, threads)
        self.size = size
        self.card = ModelCard.from_metadata(session_metadata(self.session, path), str(path))
        self.name = self.card.name
        self.score_threshold = self.card.threshold if score_threshold is None else score_threshold
        self._check_graph(path)

    def detect(self, image: NDArray[Any]) -> Detections:
        """Searches an `(H, W, 3)` uint8 RGB array."""
        found = self._search(image, self.size)
        longest = max(image.shape[:2])
        if min(longest, self.size or longest) <= _LARGEST_FACE:
            return found
        factor = math.ceil(longest / _GLANCE)
        glanced = self._search(image, longest // factor)
        large = np.sqrt(area(glanced.boxes)) >= _LARGE * factor
        return joined(found, glanced.only(large))

    def _search(self, image: NDArray[Any], longest: int | None) -> Detections:
        fitted = fit(image, longest)
        maps = run_session(self.session, OUTPUTS, {"image": fitted.pixels[None]}, self.path)
        return fitted.restore(decode([level[0] for level in maps], self.score_threshold))

    def _check_graph(self, path: Path) -> None:
        inputs = [(node.name, node.type, node.shape[3:]) for node in self.session.get_inputs()]
        outputs = [(node.name, node.type, node.shape[1:2]) for node in self.session.get_outputs()]
        if self.card.kind != "detector":
            raise ModelError(f"{path} is a model of kind '{self.card.kind}', not a detector; give it with --model")
        if inputs != [("image", "tensor(uint8)", [3])] or outputs != [
            (name, "tensor(float)", [CHANNELS]) for name in OUTPUTS
        ]:
            raise ModelError(
                f"{path}: a detector's graph takes 'image' uint8 N x H x W x 3 and gives {', '.join(OUTPUTS)} float "
                f"N x {CHANNELS} x h x w; this one takes {inputs} and gives {outputs}; export it again"
            )


def decode(maps: Sequence[NDArray[np.float32]], score_threshold: float) -> Detections:
    """The faces that the network's maps hold, doubles suppressed, best score first.

    Args:
        maps: per stride `(15, H/stride, W/stride)` float32: the score's logit, then in strides the box's centre from
            the cell's, the logarithms of its width and height, and five landmarks from the cell's centre.
        score_threshold: cells under it hold no face; 1 is over all of them.
    """
    least = logit(score_threshold)
    found = []
    for level, stride in zip(maps, STRIDES, strict=True):
        # NumPy lets other threads run at every step over many numbers, so that only this one looks at all cells.
        cells = np.flatnonzero(level[0] >= least)
        if len(cells):  # most maps hold no face
            values = level.reshape(CHANNELS, -1)[:, cells].T
            boxes, landmarks = at_cells(cells, level.shape[2], stride, values[:, 1:5], values[:, 5:], offset=0.5)
            found.append((boxes, sigmoid(values[:, 0]), landmarks))
    if not found:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    return standing(*map(np.concatenate, zip(*found, strict=True)))
