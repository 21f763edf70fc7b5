"""OnnxModel: a model file in an ONNX Runtime session, crops in, calibrated probabilities out."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.classifier import Framing
from emolens.errors import ConfigError, ModelError
from emolens.probability import calibrated

Device = Literal["auto", "cpu", "cuda"]

MAX_BATCH = 64

_CUDA = "CUDAExecutionProvider"

# Logits stay under this: a trained network's by far, and so that dividing by any temperature does not overflow.
_ABSURD = 1e30


def open_session(path: Path, device: Device = "auto", threads: int = 0) -> ort.InferenceSession:
    """Opens an ONNX file.

    Args:
        path: the file.
        device: `auto` takes CUDA where this ONNX Runtime has it, else the CPU.
        threads: for one call; 0 lets ONNX Runtime choose.

    Raises:
        ModelError: the file is missing or not ONNX.
        ConfigError: there is no such device, or CUDA was asked for and is not there.
    """
    if device not in get_args(Device):
        raise ConfigError(f"'{device}' is no device; there are {', '.join(get_args(Device))}")
    if not path.is_file():
        raise ModelError(f"no model file at {path}; `emolens models list` names those that are there")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait starve the ones that decode and detect beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A model file is one file: whatever others it names, they are looked for where nothing can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    options.log_severity_level = 4  # its warnings are about graph optimisations that no user can act on
    use_cuda = device != "cpu" and _CUDA in ort.get_available_providers()
    providers = [_CUDA, "CPUExecutionProvider"] if use_cuda else ["CPUExecutionProvider"]
    try:
        session = ort.InferenceSession(path, options, providers=providers)
    except Exception as error:  # noqa: BLE001 (ONNX Runtime raises a class of its own per fault)
        raise ModelError(f"{path} cannot be opened as ONNX: {_why_not(error)}") from None
    # Asked of the session, since without a driver ONNX Runtime goes on with the CPU and says nothing.
    if device == "cuda" and _CUDA not in session.get_providers():
        raise ConfigError(
            "ONNX Runtime finds no CUDA; pip install onnxruntime-gpu where there is an NVIDIA GPU, or use --device cpu"
        )
    return session


def run_session(
    session: ort.InferenceSession, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]], path: Path
) -> list[NDArray[Any]]:
    """Runs a graph; `path` is its file's, for the message.

    Raises:
        ModelError: the graph fails on what it is fed.
    """
    try:
        values: list[NDArray[Any]] = session.run(list(outputs), dict(feed))
    except Exception as error:  # noqa: BLE001 (as in `open_session`)
        fed = " and ".join(f"{value.dtype} of shape {value.shape}" for value in feed.values())
        raise ModelError(f"{path} fails on {fed}: {_first_line(error)}; export or pull it again") from None
    return values


def metadata_of(path: Path) -> dict[str, str]:
    """What an ONNX file says of itself; the card stands under `emolens.card`.

    Raises:
        ModelError: the file is missing or not ONNX.
    """
    return session_metadata(open_session(path, "cpu", threads=1), path)


def session_metadata(session: ort.InferenceSession, path: Path) -> dict[str, str]:
    """The same, of a file that is open already."""
    try:
        metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError:
        raise ModelError(f"{path}: its metadata is damaged: no UTF-8; export or pull the model again") from None
    return metadata


def file_hash(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class OnnxModel:
    """An emotion classifier: one model file, opened.

    Args:
        path: the model file.
        device: see `open_session`.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing, is not ONNX, has no card, or its graph is not what its card says.
    """

    def __init__(self, path: Path, device: Device = "auto", threads: int = 0) -> None:
        self.path = path
        self.session = open_session(path, device, threads)
        self.card = ModelCard.from_metadata(session_metadata(self.session, path), str(path))
        if self.card.kind == "detector":
            raise ModelError(f"{path} is a face detector, not an emotion model; give it as the detector instead")
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
        return calibrated(self.logits(crops), self.card)

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
        logits: NDArray[np.float32] = run_session(self.session, ["logits"], {"image": crops}, self.path)[0]
        return logits

    def _check_graph(self) -> None:
        size = self.card.input
        wanted_in = ["image", "tensor(uint8)", ["N", size.height, size.width, size.channels]]
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


def _why_not(error: Exception) -> str:
    """What ONNX Runtime has against a file, and the remedy."""
    said = str(error)
    if "xternal data" in said:
        return "its weights are in other files (external data); save it as one file that holds them"
    if "is not a registered function/op" in said:
        return f"it needs operators that ONNX Runtime does not have ({_first_line(error)}); export it without them"
    return f"{_first_line(error)}; export or pull it again"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
