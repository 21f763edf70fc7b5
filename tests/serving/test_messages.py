"""Messages to and from the server's own processes: whole, or not at all; numbers and words only."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from emolens.serving.messages import hear, say

WORDS = st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.integers() | st.lists(st.text()))
ARRAYS = st.lists(arrays(st.sampled_from([np.uint8, np.float32]), array_shapes(min_dims=1, max_dims=4, min_side=0)))


def written(words: dict[str, Any], *said: np.ndarray) -> bytes:
    file = io.BytesIO()
    say(file, words, *said)
    return file.getvalue()


@given(WORDS, ARRAYS)
def test_what_is_heard_is_what_was_said(words: dict[str, Any], said: list[np.ndarray]) -> None:
    file = io.BytesIO(2 * written(words, *said))
    for _ in range(2):
        heard, found = hear(file)
        assert heard == words
        assert [array.dtype for array in found] == [array.dtype for array in said]
        for one, other in zip(found, said, strict=True):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(EOFError):
        hear(file)


def test_an_array_may_lie_in_memory_as_it_likes() -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    _, found = hear(io.BytesIO(written({}, array.T[::2])))
    assert found[0].tolist() == array.T[::2].tolist()


@given(st.data())
def test_an_end_in_the_middle_is_an_end(data: st.DataObject) -> None:
    whole = written({"name": "file"}, np.ones((3, 4), np.float32))
    with pytest.raises(EOFError):
        hear(io.BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))


@pytest.mark.parametrize(
    "line",
    [
        "1",
        "[1, 2]",
        "[{}]",
        '[{}, [["|O", [1]]]]',
        '[{}, [["foo", [1]]]]',
        '[{}, [["|u1", ["a"]]]]',
        '[{}, [["|u1", [-1]]]]',
        '[{}, [["|u1", [1000000000000000000000000]]]]',
        '[{}, [["|u1", [1000000, 1000000]]]]',
        200_000 * "[",
        2**20 * " ",
    ],
)
def test_nonsense_is_told_and_takes_no_memory(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (pydantic's, or ours)
        hear(io.BytesIO(line.encode() + b"\n"))
