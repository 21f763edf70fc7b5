"""Face embeddings: the vector that a network for telling people apart makes of a crop."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emolens.card import Input
from emolens.errors import ModelError
from emolens.features.base import Parameters
from emolens.session import open_session, run_session

_Positive = Annotated[float, Field(gt=0)]


class EmbeddingParameters(Parameters):
    """What the network expects of its pixels, and what becomes of its answer.

    Attributes:
        mean: of red, green and blue in 0 to 1; it is subtracted.
        std: likewise; it is divided by.
        unit: whether vectors are scaled to a length of one.
    """

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[_Positive, _Positive, _Positive] = (0.5, 0.5, 0.5)
    unit: bool = True


class Embedding:
    """The step `embedding`: an ONNX network whose only output is a vector per face.

    Args:
        parameters: see `EmbeddingParameters`.
        size: of the crops, which must be that of the network's input, with three channels.
        path: the network, `(N, 3, H, W)` or `(N, H, W, 3)` float32 in; N may be fixed to one.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing, is not ONNX, or no such network.
    """

    def __init__(self, parameters: EmbeddingParameters, size: Input, path: Path, threads: int = 0) -> None:
        self.path, self.parameters = path, parameters
        self.session = open_session(path, "cpu", threads)
        taken, given = self.session.get_inputs(), self.session.get_outputs()
        if len(taken) != 1 or len(given) != 1 or taken[0].type != "tensor(float)" or len(taken[0].shape) != 4:
            raise ModelError(f"{path} is no embedding network, which has one input of float32 images and one output")
        self._input, self._output, shape = taken[0].name, given[0].name, taken[0].shape
        self._first = shape[1] == 3
        height, width = shape[2:] if self._first else shape[1:3]
        fits = all(isinstance(own, str) or own == side for own, side in ((height, size.height), (width, size.width)))
        if size.channels != 3 or not fits:
            raise ModelError(
                f"{path} takes RGB faces of {width}x{height} pixels, not of {size.width}x{size.height} with "
                f"{size.channels} channel(s); make them the input's width, height and channels"
            )
        self._one_by_one = isinstance(shape[0], int)
        black = np.zeros((1, size.height or 0, size.width or 0, 3), np.uint8)
        self.size = self._run(black).shape[1]

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As of `FeatureStep`; something is always found."""
        if not len(crops):
            return np.zeros((0, self.size), np.float32)
        parts = np.split(crops, len(crops)) if self._one_by_one else [crops]
        return np.concatenate([self._run(part) for part in parts])

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        mean, std = (np.array(values, np.float32) for values in (self.parameters.mean, self.parameters.std))
        pixels = (crops.astype(np.float32) / 255 - mean) / std
        fed = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if self._first else pixels, np.float32)
        vectors: NDArray[np.float32] = run_session(self.session, [self._output], {self._input: fed}, self.path)[0]
        vectors = vectors.reshape(len(crops), -1).astype(np.float32)
        if self.parameters.unit:
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
        return vectors
