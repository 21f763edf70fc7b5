"""YuNet (Wu et al., 2023), out of a file of OpenCV Zoo or of libfacedetection."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.detect.base import Detections
from emolens.detect.boxes import at_cells, standing
from emolens.detect.fit import fit
from emolens.errors import ModelError
from emolens.session import Device, ModelSession, run_session

_STRIDES = (8, 16, 32)
_VALUES = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_OUTPUTS = [f"{part}_{stride}" for part in _VALUES for stride in _STRIDES]


class YunetDetector(ModelSession):
    """YuNet, decoded as OpenCV's `FaceDetectorYN` does.

    Args:
        path: an ONNX file of YuNet; one whose graph takes a single size gets every picture scaled into that.
        size: a picture whose longest side is over this is searched smaller; None searches every pixel.
        score_threshold: faces under it are left out.
        device: see `open_session`.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing, is not ONNX, or is not YuNet.
    """

    name = "yunet"

    def __init__(
        self,
        path: Path,
        size: int | None = 1024,
        score_threshold: float = 0.6,
        device: Device = "auto",
        threads: int = 0,
    ) -> None:
        super().__init__(path, device, threads)
        self.size = size
        self.score_threshold = score_threshold
        self._canvas = self._check_graph(path)

    def detect(self, image: NDArray[Any]) -> Detections:
        """Searches an `(H, W, 3)` uint8 RGB array."""
        fitted = fit(image, self.size, self._canvas)
        bgr = np.ascontiguousarray(fitted.pixels[..., ::-1].transpose(2, 0, 1), dtype=np.float32)
        values = run_session(self.session, _OUTPUTS, {"input": bgr[None]}, self.path)
        columns = bgr.shape[2]
        outputs = {name: value.reshape(-1, value.shape[-1]) for name, value in zip(_OUTPUTS, values, strict=True)}
        levels = [self._decode(outputs, stride, columns // stride) for stride in _STRIDES]
        boxes, scores, landmarks = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        return fitted.restore(standing(boxes, scores, landmarks))

    def _decode(self, outputs: dict[str, NDArray[np.float32]], stride: int, columns: int) -> tuple[NDArray[Any], ...]:
        """Boxes, scores and landmarks of the cells of one stride at or over the threshold."""
        cls, obj = (np.clip(outputs[f"{part}_{stride}"][:, 0], 0, 1) for part in ("cls", "obj"))
        score = np.sqrt(cls * obj)
        cells = np.flatnonzero(score >= self.score_threshold)
        boxes, points = (outputs[f"{part}_{stride}"][cells] for part in ("bbox", "kps"))
        boxes, landmarks = at_cells(cells, columns, stride, boxes, points)
        return boxes, score[cells], landmarks

    def _check_graph(self, path: Path) -> tuple[int, int] | None:
        """The size that the graph insists on, as `(width, height)`, or None."""
        outputs = {node.name: node.shape[-1] for node in self.session.get_outputs()}
        wanted = {f"{part}_{stride}": width for part, width in _VALUES.items() for stride in _STRIDES}
        inputs = self.session.get_inputs()
        if outputs != wanted or [(node.name, len(node.shape), node.shape[1]) for node in inputs] != [("input", 4, 3)]:
            raise ModelError(
                f"{path} is not YuNet, which takes 'input' N x 3 x H x W and gives cls, obj, bbox and kps for the "
                f"strides 8, 16 and 32; `emolens models pull yunet` fetches it"
            )
        height, width = inputs[0].shape[2:]
        return (width, height) if isinstance(width, int) and isinstance(height, int) else None
