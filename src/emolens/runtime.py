"""OnnxModel: a model file in an ONNX Runtime session, crops in, calibrated probabilities out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.classifier import Framing
from emolens.errors import ModelError
from emolens.features import open_step
from emolens.probability import calibrated
from emolens.session import Device, ModelSession, file_hash, run_session, session_metadata

MAX_BATCH = 64

# Logits stay under this: a trained network's by far, and so that dividing by any temperature does not overflow.
_ABSURD = 1e30


class OnnxModel(ModelSession):
    """An emotion classifier: one model file, opened.

    Where its card names a feature step, the graph runs on what this step makes of the crops. A crop in which the step
    finds nothing has logits of zero, and probabilities that are all the same.

    Args:
        path: the model file.
        device: see `open_session`.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing, is not ONNX, has no card, or its graph is not what its card says; or what its
            feature step needs is missing.
        MissingExtraError: the feature step needs a library that is not installed.
    """

    def __init__(self, path: Path, device: Device = "auto", threads: int = 0) -> None:
        super().__init__(path, device, threads)
        self.card = ModelCard.from_metadata(session_metadata(self.session, path), str(path))
        if self.card.kind == "detector":
            raise ModelError(f"{path} is a face detector, not an emotion model; give it as the detector instead")
        features = self.card.features
        self.step = None if features is None else open_step(features, self.card.input, path, threads)
        self._check_graph()

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Runs the network on `(N, H, W, C)` uint8 crops at the card's size; `(N, L)` float32, N may be zero.

        Raises:
            ModelError: the graph does not take them, or answers with NaN or values that no training gives.
        """
        chunks = [crops[start : start + MAX_BATCH] for start in range(0, len(crops), MAX_BATCH)]
        if not chunks:
            return np.zeros((0, len(self.card.labels)), dtype=np.float32)
        logits = np.concatenate([self._run(chunk) for chunk in chunks])
        if not (np.abs(logits) < _ABSURD).all():
            raise ModelError(f"{self.path} answers with NaN or absurd values; its weights are broken, so pull it again")
        return logits

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities, `(N, L)` float32; rows sum to one for a `distribution` model."""
        logits = self.logits(crops)
        probabilities = calibrated(logits, self.card)
        if self.step is not None:
            probabilities[~logits.any(axis=1)] = 1 / len(self.card.labels)  # whatever a calibration makes of zeros
        return probabilities

    @property
    def framings(self) -> tuple[Framing, ...]:
        """As of `Classifier`: one."""
        return ((self.card.crop, self.card.input),)

    def classify(self, framed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """As of `Classifier`."""
        (crops,) = framed
        return self.probabilities(crops)

    @property
    def about(self) -> dict[str, Any]:
        """As of `Classifier`: `name, version, sha256`."""
        return {"name": self.card.name, "version": self.card.version, "sha256": file_hash(self.path)}

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.step is None:
            return self._run_graph({"image": crops})
        self._check_crops(crops)
        features = self.step(crops)
        found = ~np.isnan(features).any(axis=1)
        logits = np.zeros((len(crops), len(self.card.labels)), np.float32)
        if found.any():
            logits[found] = self._run_graph({"features": features[found]})
        return logits

    def _run_graph(self, feed: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = run_session(self.session, ["logits"], feed, self.path)[0]
        return logits

    def _check_crops(self, crops: NDArray[np.uint8]) -> None:
        """What the graph checks where it takes the crops itself."""
        size = self.card.input
        if crops.dtype != np.uint8 or crops.shape[1:] != (size.height, size.width, size.channels):
            raise ModelError(
                f"{self.path} fails on {crops.dtype} of shape {crops.shape}; it takes uint8 of "
                f"N x {size.height} x {size.width} x {size.channels}"
            )

    def _check_graph(self) -> None:
        size = self.card.input
        wanted_in = ["image", "tensor(uint8)", ["N", size.height, size.width, size.channels]]
        if self.step is not None:
            wanted_in = ["features", "tensor(float)", ["N", self.step.size]]
        wanted_out = ["logits", "tensor(float)", ["N", len(self.card.labels)]]
        for what, found, wanted in (
            ("input", self.session.get_inputs(), wanted_in),
            ("output", self.session.get_outputs(), wanted_out),
        ):
            actual = [[node.name, node.type, _with_free_batch(node.shape)] for node in found]
            if actual != [wanted]:
                raise ModelError(
                    f"{self.path}: the {what} of a model file with this card is {_describe(wanted)}, "
                    f"but the graph has {' and '.join(_describe(one) for one in actual)}; export it again"
                )


def _with_free_batch(shape: list[Any]) -> list[Any]:
    """The shape with "N" in front, whatever the graph calls a batch of any size."""
    return ["N", *shape[1:]] if shape and not isinstance(shape[0], int) else shape


def _describe(node: list[Any]) -> str:
    name, dtype, shape = node
    return f"'{name}' {dtype} {' x '.join(map(str, shape)) or 'of no shape'}"
