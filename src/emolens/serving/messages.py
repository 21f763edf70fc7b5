"""Messages between the server and its own processes: a line of JSON, then arrays. Nothing in one is ever executed."""

import json
import math
from collections.abc import Mapping
from typing import IO, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, TypeAdapter

Message = tuple[dict[str, Any], list[NDArray[Any]]]

# A process that reads images may have been taken over by one; so what it says is believed no more than an image.
_LONGEST_LINE = 2**20
_MOST_VALUES = 2**30
_Side = Annotated[int, Field(ge=0, le=_MOST_VALUES)]
_Shape = tuple[Literal["|u1", "<f4"], tuple[_Side, ...]]
_HEAD = TypeAdapter(tuple[dict[str, JsonValue], list[_Shape]])


def say(to: IO[bytes], words: Mapping[str, Any], *arrays: NDArray[Any]) -> None:
    """Writes a message, words that JSON has and arrays of uint8 or float32, for the other end to `hear`."""
    shapes = [(array.dtype.str, array.shape) for array in arrays]
    to.write(json.dumps([words, shapes]).encode() + b"\n")
    for array in arrays:
        to.write(np.ascontiguousarray(array).data)
    to.flush()


def hear(source: IO[bytes]) -> Message:
    """The next message; its arrays cannot be written to.

    Raises:
        EOFError: the other end is no more; it may have gone in the middle of a message.
        ValueError: it talks nonsense.
    """
    line = source.readline(_LONGEST_LINE)
    if len(line) < _LONGEST_LINE and not line.endswith(b"\n"):
        raise EOFError
    words, shapes = _HEAD.validate_json(line)
    return dict(words), [_array(source, np.dtype(kind), shape) for kind, shape in shapes]


def _array(source: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    count = math.prod(shape)
    if count > _MOST_VALUES:
        raise ValueError(f"no message has an array of {count} values")
    values = source.read(count * kind.itemsize)
    if len(values) < count * kind.itemsize:
        raise EOFError
    return np.frombuffer(values, kind).reshape(shape)
