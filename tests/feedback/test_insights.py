"""What answers tell, and what too few of them do not."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.feedback.answer import Answer
from emolens.feedback.insights import Share, agreement, agreement_over_time, by_version, confusion
from feedback_answers import make_answer

LABELS = st.sampled_from(("happy", "sad", "neutral"))
SAID = st.sets(LABELS, min_size=1)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ANSWERS = st.lists(
    st.builds(
        lambda predicted, said, created: make_answer(predicted, "+".join(sorted(said)), created=created),
        LABELS,
        SAID,
        MOMENTS,
    )
)


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share_and_stays_between_0_and_1(counted: tuple[int, int]) -> None:
    share = Share(*counted)
    low, high = share.interval
    assert 0 <= low <= high <= 1
    assert math.isnan(share.value) or low <= share.value <= high


def test_the_interval_is_that_of_wilson() -> None:
    assert Share(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Share(0, 10).interval == pytest.approx((0, 0.2775), abs=1e-4)
    assert Share(0, 0).interval == (0, 1)
    assert (Share(29, 29).few, Share(30, 30).few) == (True, False)


def test_agreement_is_told_by_week_and_by_what_was_predicted() -> None:
    monday = datetime(2026, 5, 4, tzinfo=UTC)
    told = agreement_over_time(
        [
            make_answer("happy", "happy", created=monday),
            make_answer("happy", "sad", created=monday + timedelta(days=6, hours=23)),
            make_answer("sad", "sad+neutral", created=monday + timedelta(days=7)),
        ]
    )
    assert [(one.start, one.emotion, one.share.part, one.share.of) for one in told] == [
        (date(2026, 5, 4), None, 1, 2),
        (date(2026, 5, 4), "happy", 1, 2),
        (date(2026, 5, 11), None, 1, 1),
        (date(2026, 5, 11), "sad", 1, 1),
    ]


def test_confusion_has_a_row_for_what_was_said_and_shares_an_answer_out_between_its_labels() -> None:
    told = confusion([make_answer("happy", "sad"), make_answer("happy", "happy+sad"), make_answer("sad", "sad")])
    assert told.labels == ("happy", "sad", "neutral")
    np.testing.assert_allclose(told.counts, [[0.5, 0, 0], [1.5, 1, 0], [0, 0, 0]])


@given(ANSWERS)
def test_no_answer_is_lost_or_counted_twice(answers: list[Answer]) -> None:
    for period in ("day", "week", "month"):
        told = agreement_over_time(answers, period)
        assert sum(one.share.of for one in told if one.emotion is None) == len(answers)
        assert sum(one.share.of for one in told if one.emotion) == len(answers)
        assert sum(one.share.part for one in told if one.emotion) == agreement(answers).part
    told = confusion(answers)
    assert told.counts.sum() == pytest.approx(len(answers))
    for place, label in enumerate(told.labels):
        assert told.counts[:, place].sum() == pytest.approx(sum(answer.predicted == label for answer in answers))


def test_versions_are_told_apart() -> None:
    first, second, other = make_answer(version="1"), make_answer(version="2"), make_answer(model="scene")
    assert by_version([second, other, first]) == {
        ("face", "1"): [first],
        ("face", "2"): [second],
        ("scene", "1"): [other],
    }
