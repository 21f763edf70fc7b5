"""ONNX files in ONNX Runtime: opened, asked what they say of themselves, and run."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Literal, Self, get_args

import onnxruntime as ort
from numpy.typing import NDArray

from emolens.errors import ConfigError, ModelError

Device = Literal["auto", "cpu", "cuda"]

_CUDA = "CUDAExecutionProvider"

# A call of a model whose file has no more bytes is over before cores could have shared it to any profit.
_SMALL = 16 * 2**20


def open_session(
    path: Path, device: Device = "auto", threads: int = 0, content: bytes | None = None
) -> ort.InferenceSession:
    """Opens an ONNX file.

    Args:
        path: the file.
        device: `auto` takes CUDA where this ONNX Runtime has it, else the CPU.
        threads: for one call; 0 lets ONNX Runtime choose.
        content: of the file, where it has been read; whatever becomes of the file then does not matter.

    Raises:
        ModelError: the file is missing or not ONNX.
        ConfigError: there is no such device, or CUDA was asked for and is not there.
    """
    if device not in get_args(Device):
        raise ConfigError(f"'{device}' is no device; there are {', '.join(get_args(Device))}")
    if content is None:
        _check_file(path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait starve the ones that decode and detect beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A plan of the memory for each size of picture takes longer to look up than it saves.
    options.enable_mem_pattern = False
    # A model file is one file: whatever others it names, they are looked for where nothing can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    options.log_severity_level = 4  # its warnings are about graph optimisations that no user can act on
    use_cuda = device != "cpu" and _CUDA in ort.get_available_providers()
    providers = [_CUDA, "CPUExecutionProvider"] if use_cuda else ["CPUExecutionProvider"]
    try:
        session = ort.InferenceSession(path if content is None else content, options, providers=providers)
    except Exception as error:  # noqa: BLE001 (ONNX Runtime raises a class of its own per fault)
        raise ModelError(f"{path} cannot be opened as ONNX: {_why_not(error)}") from None
    # Asked of the session, since without a driver ONNX Runtime goes on with the CPU and says nothing.
    if device == "cuda" and _CUDA not in session.get_providers():
        raise ConfigError(
            "ONNX Runtime finds no CUDA; pip install onnxruntime-gpu where there is an NVIDIA GPU, or use --device cpu"
        )
    return session


class ModelSession:
    """What is opened from a model file: the session that runs it, and others of the same content.

    Args:
        path: the file.
        device: see `open_session`.
        threads: see `open_session`.

    Raises:
        ModelError: the file is missing or not ONNX.
        ConfigError: as of `open_session`.
    """

    def __init__(self, path: Path, device: Device, threads: int) -> None:
        _check_file(path)
        self.path = path
        self._content = path.read_bytes() if path.stat().st_size <= _SMALL else None
        self.session = open_session(path, device, threads, self._content)

    def for_many(self) -> Self:
        """A twin for calls that run beside each other: each in one thread.

        Its session is the same one where the file is large, where the number of threads was given, or where it takes no
        cores but a GPU.
        """
        twin = copy(self)
        asked = self.session.get_session_options().intra_op_num_threads
        if self._content is not None and not asked and _CUDA not in self.session.get_providers():
            twin.session = open_session(self.path, "cpu", threads=1, content=self._content)
        return twin


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


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"no model file at {path}; `emolens models list` names those that are there")


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
