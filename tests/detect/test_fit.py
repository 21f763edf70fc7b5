"""Making a picture fit for a network, and carrying detections back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.detect.base import Detections
from emolens.detect.fit import Fitted, fit

SIDES = st.integers(1, 400)


def found(*box: float) -> Detections:
    landmarks = np.full((1, 5, 2), box[:2], dtype=np.float32)
    return Detections(np.array([box], dtype=np.float32), np.ones(1, dtype=np.float32), landmarks)


@given(SIDES, SIDES, st.sampled_from([None, 32, 100]))
def test_any_picture_becomes_multiples_of_32_and_no_side_too_long(width: int, height: int, longest: int | None) -> None:
    fitted = fit(np.zeros((height, width, 3), dtype=np.uint8), longest)
    assert all(side % 32 == 0 and side > 0 for side in fitted.pixels.shape[:2])
    inner = [round(side * scale) for side, scale in zip((width, height), fitted.scale, strict=True)]
    assert max(inner) <= (longest or 400)


@given(SIDES, SIDES)
def test_the_whole_picture_found_small_is_the_whole_picture(width: int, height: int) -> None:
    fitted = fit(np.zeros((height, width, 3), dtype=np.uint8), 64)
    inner = (width * fitted.scale[0], height * fitted.scale[1])
    restored = fitted.restore(found(0, 0, *inner))
    assert restored.boxes[0] == pytest.approx([0, 0, width, height], rel=1e-4)


def test_a_picture_that_is_small_enough_keeps_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    fitted = fit(image, 64)
    assert fitted.pixels.shape == (64, 64, 3)
    assert (fitted.pixels[:40, :50] == image).all()


def test_a_canvas_is_filled_to_its_size() -> None:
    fitted = fit(np.zeros((100, 400, 3), dtype=np.uint8), canvas=(64, 96))
    assert fitted.pixels.shape == (96, 64, 3)
    assert fitted.scale == (64 / 400, 16 / 100)


def test_boxes_are_cut_to_the_picture_and_those_in_the_padding_fall_away() -> None:
    fitted = Fitted(np.zeros((32, 32, 3), dtype=np.uint8), (0.5, 0.5), (40, 40))
    assert fitted.restore(found(-5, -5, 15, 15)).boxes.tolist() == [[0, 0, 20, 20]]
    nothing = fitted.restore(found(22, 22, 5, 5))
    assert nothing.boxes.shape == (0, 4)
    assert nothing.landmarks is not None
    assert nothing.landmarks.shape == (0, 5, 2)
