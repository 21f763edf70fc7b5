"""Overlap of boxes, and the suppression of doubles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.detect.boxes import MOST_OVERLAP, area, intersection, iou, standing, suppress

BOXES = st.integers(0, 12).flatmap(
    lambda count: st.tuples(
        arrays(np.float32, (count, 4), elements=st.floats(0, 50, width=32)),
        arrays(np.float32, count, elements=st.floats(0, 1, width=32)),
    )
)


def test_overlap_is_shared_area_over_covered_area() -> None:
    box = np.array([[0, 0, 10, 10]], dtype=np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 5, 5]], dtype=np.float32)
    assert iou(box, others)[0] == pytest.approx([1, 1 / 3, 0])


def test_boxes_without_area_overlap_nothing() -> None:
    point = np.zeros((1, 4), dtype=np.float32)
    assert iou(point, point).tolist() == [[0]]


def test_the_better_of_two_doubles_stands() -> None:
    boxes = np.array([[1, 0, 10, 10], [30, 30, 5, 5], [0, 0, 10, 10]], dtype=np.float32)
    assert suppress(boxes, MOST_OVERLAP).tolist() == [0, 1]


def test_a_box_within_a_better_one_falls_and_around_a_better_one_stands() -> None:
    boxes = np.array([[0, 0, 40, 40], [10, 10, 8, 8]], dtype=np.float32)
    assert suppress(boxes, MOST_OVERLAP).tolist() == [0]
    assert suppress(boxes[::-1], MOST_OVERLAP).tolist() == [0, 1]


@given(BOXES)
def test_those_that_stand_are_sorted_apart_and_cover_those_that_fall(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    boxes, scores = drawn
    stand = standing(boxes, scores, np.arange(len(boxes)))
    assert stand.landmarks is not None
    kept = stand.landmarks
    assert stand.boxes.tolist() == boxes[kept].tolist()
    assert (np.diff(scores[kept]) <= 0).all()
    overlaps = iou(boxes[kept], boxes[kept])
    assert (overlaps[~np.eye(len(kept), dtype=bool)] <= MOST_OVERLAP + 1e-6).all()
    fallen = np.setdiff1d(np.arange(len(boxes)), kept)
    if len(fallen):
        lie_within = intersection(boxes[fallen], boxes[kept]) > 0.79 * area(boxes[fallen])[:, None]
        assert ((iou(boxes[fallen], boxes[kept]) > MOST_OVERLAP - 1e-6) | lie_within).any(axis=1).all()
