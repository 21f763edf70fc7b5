"""Kernels over blocks of pixels: the same products, and the way back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emolens.networks.block_kernels import from_blocks, to_blocks


@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7))
def test_a_kernel_comes_back_from_its_blocks(count: int, height: int, width: int) -> None:
    kernel = np.random.default_rng(count).integers(-127, 128, (count, 1, height, width), dtype=np.int8)
    assert (from_blocks(to_blocks(kernel), height, width) == kernel).all()


def test_each_channel_holds_the_weights_of_one_place_of_the_block() -> None:
    kernel = np.arange(9).reshape(1, 1, 3, 3)
    assert to_blocks(kernel).tolist() == [[[[0, 2], [6, 8]], [[1, 0], [7, 0]], [[3, 5], [0, 0]], [[4, 0], [0, 0]]]]
