"""Landmarks: the 478 points of a face that MediaPipe's Face Landmarker finds, as a vector."""

import atexit
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Annotated, Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from emolens.card import Input
from emolens.errors import ConfigError, MissingExtraError, ModelError
from emolens.features.base import Parameters

POINTS = 478

_one_at_a_time = Lock()
_opened: WeakSet[Any] = WeakSet()


@atexit.register  # before MediaPipe, which is imported later, so that this runs after its own preparations for the end
def _close() -> None:
    # Left to the very end, it would find parts of the interpreter gone and complain.
    for landmarker in _opened:
        landmarker.close()


class LandmarksParameters(Parameters):
    """How a crop is shown to MediaPipe; docs/results/landmarks.md has what each is worth.

    Attributes:
        side: to which the longer side of a crop is scaled, in pixels.
        padding: how much black lies on every side, as a fraction of `side`.
        confidence: from which score on a face counts as found.
    """

    side: Annotated[int, Field(ge=16, le=2048)] = 192
    padding: Annotated[float, Field(ge=0, le=2)] = 0.25
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.3


class Landmarks:
    """The step `landmarks`: the shape of the face in a crop, without its place and size.

    MediaPipe's Face Landmarker (Kartynnik et al., 2019) looks for a face before it looks for points, and expects a
    photograph around it: a tight crop is therefore enlarged and laid on black.

    Args:
        parameters: see `LandmarksParameters`.
        size: of the crops; any will do.
        path: MediaPipe's bundle, `face_landmarker.task`.
        threads: as of every step; MediaPipe chooses its own.

    Attributes:
        size: how many numbers a vector has: x, y and z of each point.

    Raises:
        MissingExtraError: MediaPipe is not installed.
        ConfigError: a system library that MediaPipe needs is not installed.
        ModelError: the file is missing, or is no such bundle.
    """

    size = 3 * POINTS

    def __init__(self, parameters: LandmarksParameters, size: Input, path: Path, threads: int = 0) -> None:  # noqa: ARG002
        self.path, self.parameters = path, parameters
        self._landmarker = _open(path, parameters.confidence)
        self._turn = Lock()

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As of `FeatureStep`: `(N, 1434)` float32, x, y and z of every point in MediaPipe's order, see `normalise`."""
        vectors = np.full((len(crops), self.size), np.nan, np.float32)
        for row, crop in zip(vectors, crops, strict=True):
            points = self._find(crop)
            if points is not None:
                row[:] = normalise(points).ravel()
        return vectors

    def _find(self, crop: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """The points of one `(H, W, C)` crop, `(478, 3)` in pixels of what MediaPipe is shown, or None."""
        from mediapipe import Image as Picture
        from mediapipe import ImageFormat

        side = self.parameters.side
        shown = _on_black(crop, side, round(side * self.parameters.padding))
        with self._turn:  # MediaPipe promises nothing to threads that share a landmarker
            found = self._landmarker.detect(Picture(image_format=ImageFormat.SRGB, data=shown)).face_landmarks
        if not found:
            return None
        height, width = shown.shape[:2]
        # Depth is in units of the width, too.
        return np.array([(point.x, point.y, point.z) for point in found[0]], np.float32) * (width, height, width)


def normalise(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moves the centre of `(478, 3)` points to the origin and scales their root mean square distance from it to one."""
    centred = points - points.mean(axis=0)
    scaled: NDArray[np.float32] = (centred / np.sqrt((centred**2).sum(axis=1).mean())).astype(np.float32)
    return scaled


def _on_black(crop: NDArray[np.uint8], side: int, border: int) -> NDArray[np.uint8]:
    """The crop in RGB, enlarged, with black around it."""
    pixels = Image.fromarray(crop[..., 0] if crop.shape[2] == 1 else crop).convert("RGB")
    factor = side / max(pixels.size)
    width, height = (max(1, round(length * factor)) for length in pixels.size)
    canvas = Image.new("RGB", (width + 2 * border, height + 2 * border))
    canvas.paste(pixels.resize((width, height), Image.Resampling.BICUBIC), (border, border))
    return np.array(canvas)


def _open(path: Path, confidence: float) -> Any:
    try:
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions
    except ModuleNotFoundError:
        raise MissingExtraError("landmarks", "to find the landmarks of faces") from None
    if not path.is_file():
        raise ModelError(f"no landmarks' model at {path}; fetch one: `emolens models pull mediapipe-face-landmarker`")
    options = FaceLandmarkerOptions(
        # As bytes, since paths of other alphabets are not opened everywhere.
        base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
        min_face_detection_confidence=confidence,
    )
    try:
        with _one_at_a_time, _native_logs_dropped():
            landmarker = FaceLandmarker.create_from_options(options)
    except OSError as error:
        raise ConfigError(
            f"MediaPipe cannot be loaded: {error}; on Debian and Ubuntu: apt-get install libegl1 libgles2"
        ) from None
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path} is no bundle of MediaPipe's Face Landmarker: {reason}; pull it again") from None
    _survive_its_profiler()
    _opened.add(landmarker)
    return landmarker


def _survive_its_profiler() -> None:
    """Ignores the signal of MediaPipe's profiling timer.

    Lightning puts the handlers that it finds back after a training, as far as Python knows them, and Python knows
    nothing of MediaPipe's: the next tick would end the process.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and hasattr(signal, "SIGPROF") and signal.getsignal(signal.SIGPROF) == signal.SIG_DFL:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


@contextmanager
def _native_logs_dropped() -> Iterator[None]:
    """Sends what native code writes to the standard error meanwhile nowhere: its remarks on delegates help no user."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
