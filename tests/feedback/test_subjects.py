"""Answers about the same thing become one opinion."""

import hashlib
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.feedback.subjects import Subject, Subjects, vote_of
from feedback_answers import make_answer

LABELS = ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other")
PHOTOS = tuple(hashlib.sha256(bytes([number])).hexdigest() for number in range(40))
BOXES = (None, (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 10.0, 10.0))
SAID = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4, unique=True)
GIVEN = st.lists(st.tuples(st.sampled_from(PHOTOS), st.sampled_from(BOXES), SAID), min_size=1, max_size=12)


def gather(given: list[tuple[str, tuple[float, float, float, float] | None, list[str]]]) -> list[Subject]:
    subjects = Subjects()
    for photo, box, said in given:
        vote = vote_of(said, LABELS)
        assert vote is not None
        subjects.add(photo, make_answer(box=box), vote)
    return list(subjects)


@given(GIVEN)
def test_every_answer_counts_once_and_every_opinion_is_a_distribution(given: list[tuple[str, None, list[str]]]) -> None:
    subjects = gather(given)
    assert sum(len(subject.votes) for subject in subjects) == len(given)
    assert len(subjects) == len({(photo, box) for photo, box, _ in given})
    for subject in subjects:
        assert subject.opinion.sum() == pytest.approx(1)
        assert (subject.opinion >= 0).all()
    counted = sum((subject.opinion * len(subject.votes) for subject in subjects), np.zeros(len(LABELS)))
    named = Counter[str]()
    for _, _, said in given:
        named.update({label: 1 / len(said) for label in said})
    np.testing.assert_allclose(counted, [named[label] for label in LABELS])


@given(GIVEN, st.randoms())
def test_the_order_of_the_answers_changes_no_opinion(given: list[tuple[str, None, list[str]]], random: Random) -> None:
    def told(subjects: list[Subject]) -> list[tuple[str, float]]:
        return sorted((str(one.box), *one.opinion.round(9)) for one in subjects)

    shuffled = list(given)
    random.shuffle(shuffled)
    assert told(gather(given)) == told(gather(shuffled))


@given(GIVEN)
def test_pictures_of_one_photograph_are_in_one_split(given: list[tuple[str, None, list[str]]]) -> None:
    in_order = [gather([row for row in given if row[0] == photo]) for photo in PHOTOS]
    assert all(len({one.split for one in subjects}) <= 1 for subjects in in_order)


def test_the_splits_are_80_10_and_10_of_100() -> None:
    photos = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000)]
    drawn = Counter(one.split for one in gather([(photo, None, ["happy"]) for photo in photos]))
    assert drawn["train"] == pytest.approx(800, abs=50)
    assert drawn["val"] == pytest.approx(100, abs=40)
    assert drawn["test"] == pytest.approx(100, abs=40)


def test_boxes_that_overlap_by_half_are_one_face() -> None:
    near, far = (1.0, 1.0, 10.0, 10.0), (5.0, 0.0, 10.0, 10.0)
    assert len(gather([(PHOTOS[0], box, ["happy"]) for box in (BOXES[1], near)])) == 1
    assert len(gather([(PHOTOS[0], box, ["happy"]) for box in (BOXES[1], far)])) == 2


def test_a_vote_goes_where_the_label_set_has_room_for_it() -> None:
    assert vote_of(("happy", "contempt"), LABELS).tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0.5]
    assert vote_of(("contempt",), LABELS[:7]) is None
    assert vote_of(("awe", "sad"), LABELS).tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
