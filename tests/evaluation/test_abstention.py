"""Saying "unsure" costs answers and saves mistakes, and the curve says how many of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.errors import DataError
from emolens.evaluation.abstention import choose_threshold, risk_coverage

answers = st.lists(st.tuples(st.sampled_from(np.linspace(0, 1, 9)), st.booleans()), min_size=1, max_size=40)


def test_a_higher_threshold_leaves_fewer_answers_and_here_fewer_mistakes():
    thresholds, coverage, risk = risk_coverage([0.5, 0.9, 0.7, 0.8], [False, True, False, True])
    np.testing.assert_allclose(thresholds, [0.9, 0.8, 0.7, 0.5])
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 0, 1 / 3, 1 / 2])


@given(answers)
def test_each_point_is_what_the_answers_at_or_over_its_threshold_are_worth(pairs):
    confidence, right = (np.array(column) for column in zip(*pairs, strict=True))
    thresholds, coverage, risk = risk_coverage(confidence, right)
    np.testing.assert_array_equal(thresholds, np.unique(confidence)[::-1])
    for threshold, share, error in zip(thresholds, coverage, risk, strict=True):
        given_answers = confidence >= threshold
        assert share == pytest.approx(given_answers.mean())
        assert error == pytest.approx(1 - right[given_answers].mean())


@given(answers, st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]))
def test_no_other_threshold_within_the_risk_answers_more(pairs, risk):
    confidence, right = (np.array(column) for column in zip(*pairs, strict=True))
    allowed = [
        (confidence >= threshold).mean()
        for threshold in confidence
        if 1 - right[confidence >= threshold].mean() <= risk + 1e-12
    ]
    if not allowed:
        with pytest.raises(DataError, match="no threshold"):
            choose_threshold(confidence, right, risk)
        return
    chosen = choose_threshold(confidence, right, risk)
    assert chosen.coverage == pytest.approx(max(allowed))
    assert chosen.coverage == pytest.approx((confidence >= chosen.threshold).mean())
    assert chosen.risk == pytest.approx(1 - right[confidence >= chosen.threshold].mean())


def test_a_mistake_that_is_as_sure_as_right_answers_counts_with_them():
    assert choose_threshold([0.9, 0.9, 0.8, 0.8], [True, True, True, False], 0.0) == (pytest.approx(0.9), 0, 0.5)


def test_single_precision_confidences_are_at_or_over_their_own_threshold():
    confidence = np.random.default_rng(0).random(100).astype(np.float32)
    assert (confidence >= np.float64(choose_threshold(confidence, np.ones(100, bool), 0.1).threshold)).all()


def test_a_risk_out_of_reach_is_refused_with_the_best_that_can_be_had():
    with pytest.raises(DataError, match=r"down to 0\.1; the least is 0\.2500, with 80\.0% of the samples answered"):
        choose_threshold([0.9, 0.8, 0.8, 0.8, 0.1], [False, True, True, True, False], 0.1)


@pytest.mark.parametrize(
    ("confidence", "right", "said"),
    [([], [], "shape"), ([0.5], [True, False], "shape"), ([0.5, np.nan], [True, True], "row 1 is NaN")],
)
def test_what_cannot_be_ranked_is_refused(confidence, right, said):
    with pytest.raises(DataError, match=said):
        risk_coverage(confidence, right)
