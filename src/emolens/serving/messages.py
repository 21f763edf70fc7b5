"""Messages between the server and its own processes: a line of JSON, then arrays. Nothing in one is ever executed."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Message = tuple[dict[str, Any], list[NDArray[Any]]]


def say(to: IO[bytes], words: Mapping[str, Any], *arrays: NDArray[Any]) -> None:
    """Writes a message, words that JSON has and arrays of numbers, for the other end to `hear`."""
    kinds = [(array.dtype.str, array.shape) for array in arrays]
    to.write(json.dumps([words, kinds]).encode() + b"\n")
    for array in arrays:
        to.write(np.ascontiguousarray(array).data)
    to.flush()


def hear(source: IO[bytes]) -> Message:
    """The next message; its arrays cannot be written to.

    Raises:
        EOFError: the other end is no more.
        ValueError: it went in the middle of a message, or talks nonsense.
    """
    line = source.readline()
    if not line:
        raise EOFError
    words, kinds = json.loads(line)
    return words, [_array(source, np.dtype(kind), shape) for kind, shape in kinds]


def _array(source: IO[bytes], kind: np.dtype[Any], shape: list[int]) -> NDArray[Any]:
    return np.frombuffer(source.read(math.prod(shape) * kind.itemsize), kind).reshape(shape)
