"""Recall, false boxes and precision of a detector."""

import numpy as np
import pytest

from emolens.detect.base import Detections
from emolens.training.detection.measure import FALSE, HIT, NEITHER, Matches, match

NONE = np.zeros((0, 4), dtype=np.float32)


def detections(*rows: tuple[float, ...]) -> Detections:
    """Rows of `x, y, w, h, score`, best first."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4])


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_a_face_is_hit_once_and_its_double_counts_neither_way() -> None:
    matches = match(detections((0, 0, 10, 10, 0.9), (1, 0, 10, 10, 0.8)), boxes((0, 0, 10, 10)), NONE)
    assert matches.kinds.tolist() == [HIT, NEITHER]
    assert matches.found.tolist() == pytest.approx([0.9])


def test_a_box_on_nothing_is_false_and_one_on_an_ignored_region_is_not() -> None:
    found = detections((0, 0, 10, 10, 0.9), (50, 50, 10, 10, 0.8), (52, 52, 3, 3, 0.7))
    matches = match(found, NONE, boxes((50, 50, 12, 12)))
    assert matches.kinds.tolist() == [FALSE, NEITHER, NEITHER]
    assert matches.false_boxes(0.5) == 1
    assert matches.false_boxes(0.95) == 0


def test_a_missed_face_lowers_recall_of_its_size() -> None:
    matches = match(detections((0, 0, 10, 10, 0.9)), boxes((0, 0, 10, 10), (50, 50, 40, 40)), NONE)
    assert matches.recall(0.5) == 0.5
    assert matches.recall(0.5, smallest=20) == 0
    assert matches.recall(0.5, largest=20) == 1
    assert matches.recall(0.95) == 0


def test_nothing_found_on_nothing_is_no_error() -> None:
    matches = match(detections(), NONE, NONE)
    assert matches.false_boxes(0) == 0
    assert matches.average_precision() == 0


def test_the_threshold_lets_through_as_many_false_boxes_as_allowed() -> None:
    found = detections(*((100 * index, 0, 10, 10, 0.9 - 0.1 * index) for index in range(5)))
    matches = Matches.joined([match(found, NONE, NONE), match(detections(), NONE, NONE)])
    assert matches.photos == 2
    for allowed in (0.5, 1, 2):
        assert matches.false_boxes(matches.threshold_for(allowed)) == allowed * 2
    assert matches.threshold_for(10) == 0


def test_average_precision_is_one_for_perfect_order_and_less_where_a_false_box_comes_first() -> None:
    faces = boxes((0, 0, 10, 10), (50, 0, 10, 10))
    perfect = match(detections((0, 0, 10, 10, 0.9), (50, 0, 10, 10, 0.8), (90, 90, 5, 5, 0.1)), faces, NONE)
    assert perfect.average_precision() == pytest.approx(1)
    worse = match(detections((90, 90, 5, 5, 0.95), (0, 0, 10, 10, 0.9), (50, 0, 10, 10, 0.8)), faces, NONE)
    assert worse.average_precision() == pytest.approx(2 / 3)
