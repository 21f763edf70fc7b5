"""Ids of faces: what holds for any boxes, and what is told of faces that move, leave and come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.results import Box
from emolens.serving.tracking import Tracker, intersection_over_union

sides = st.floats(0, 1, width=32)
boxes = st.lists(st.tuples(sides, sides, sides, sides), max_size=6)
frames = st.lists(boxes, min_size=1, max_size=12)

LEFT: Box = (0.1, 0.2, 0.2, 0.2)
RIGHT: Box = (0.6, 0.2, 0.2, 0.2)


def moved(box: Box, right: float) -> Box:
    return (box[0] + right, *box[1:])


@given(frames)
def test_every_face_has_an_id_of_its_own_and_new_ones_count_on(seen: list[list[Box]]) -> None:
    tracker, highest = Tracker(), 0
    for frame in seen:
        ids = tracker.assign(frame)
        assert len(set(ids)) == len(ids) == len(frame)
        new = sorted(one for one in ids if one > highest)
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest = max([highest, *ids])


@given(frames, st.integers(0, 3))
def test_an_id_that_is_given_again_is_that_of_a_face_that_overlaps_its_last_place(
    seen: list[list[Box]], patience: int
) -> None:
    tracker = Tracker(overlap=0.3, patience=patience)
    places: dict[int, tuple[int, Box]] = {}
    for number, frame in enumerate(seen):
        for name, box in zip(tracker.assign(frame), frame, strict=True):
            if name in places:
                when, place = places[name]
                assert number - when <= patience + 1
                assert intersection_over_union([box], [place])[0, 0] >= 0.3
            places[name] = (number, box)


@given(st.permutations(range(4)), st.floats(-0.04, 0.04))
def test_ids_follow_faces_that_move_a_little_in_whatever_order_they_are_found(order: list[int], right: float) -> None:
    faces = [(0.25 * column, 0.3, 0.2, 0.3) for column in range(4)]
    tracker = Tracker()
    first = tracker.assign(faces)
    assert tracker.assign([moved(faces[index], right) for index in order]) == [first[index] for index in order]


@given(boxes, boxes)
def test_overlap_is_a_share_is_symmetric_and_does_not_depend_on_the_unit(some: list[Box], others: list[Box]) -> None:
    found = intersection_over_union(some, others)
    assert found.shape == (len(some), len(others))
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()
    assert np.array_equal(found, intersection_over_union(others, some).T)
    wide = [[(2 * x, y, 2 * w, h) for x, y, w, h in boxes] for boxes in (some, others)]
    assert np.allclose(found, intersection_over_union(*wide), atol=1e-6)


def test_a_sliver_shares_no_more_than_it_has() -> None:
    sliver = (0.7, 0.0, 1e-16, 1.0)
    assert intersection_over_union([sliver], [sliver])[0, 0] in (0, 1)


def test_overlap_of_known_boxes() -> None:
    halves = intersection_over_union([(0, 0, 2, 2)], [(0, 0, 2, 2), (1, 0, 2, 2), (2, 0, 2, 2), (0, 0, 0, 0)])
    assert halves[0] == pytest.approx([1, 1 / 3, 0, 0])


@pytest.mark.parametrize(("missing", "comes_back"), [(1, True), (3, True), (4, False)])
def test_a_face_that_is_gone_for_a_few_frames_keeps_its_id_and_no_longer(missing: int, comes_back: bool) -> None:
    tracker = Tracker(patience=3)
    first, other = tracker.assign([LEFT, RIGHT])
    for _ in range(missing):
        assert tracker.assign([RIGHT]) == [other]
    assert tracker.assign([LEFT, RIGHT]) == [first if comes_back else 3, other]


def test_of_two_faces_at_one_place_the_nearer_one_keeps_the_id() -> None:
    tracker = Tracker()
    (first,) = tracker.assign([LEFT])
    assert tracker.assign([moved(LEFT, 0.05), moved(LEFT, 0.01)]) == [2, first]


def test_what_is_far_away_is_another_face() -> None:
    tracker = Tracker()
    assert tracker.assign([LEFT]) == [1]
    assert tracker.assign([RIGHT]) == [2]
