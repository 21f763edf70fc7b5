"""The threshold of a label is the one with the best F1, and of several such the one that claims least."""

import numpy as np
import pytest
from hypothesis import given

from answers import multilabel_cases, names
from emolens.errors import DataError
from emolens.evaluation.metrics import compute_multilabel_metrics
from emolens.evaluation.thresholds import UNTUNED, tune_thresholds


@given(multilabel_cases())
def test_no_threshold_has_a_better_f1_and_no_higher_one_as_good_claims_less(case):
    scores, present = case
    labels = names(scores.shape[1])
    tuned = tune_thresholds(scores, present, labels)
    assert list(tuned) == list(labels)
    for label, score, truth in zip(labels, scores.T, present.T, strict=True):
        if not truth.any():
            assert tuned[label] == UNTUNED
            continue

        def f1(threshold, score=score, truth=truth):
            answers = score >= threshold
            return 2 * (answers * truth).sum() / (answers.sum() + truth.sum())

        best = max(f1(threshold) for threshold in score)
        assert f1(tuned[label]) == pytest.approx(best)
        accepted = score[score >= tuned[label]].min()
        assert all(f1(higher) < best - 1e-12 for higher in score[score > accepted])


def test_tuning_lifts_macro_f1_where_a_label_is_never_likely():
    rng = np.random.default_rng(0)
    present = rng.random((400, 2)) < [0.5, 0.1]
    scores = np.clip(np.where(present, [0.8, 0.3], [0.2, 0.1]) + rng.normal(0, 0.03, (400, 2)), 0, 1)
    tuned = tune_thresholds(scores[:200], present[:200], ("often", "seldom"))
    at_half, at_tuned = (
        compute_multilabel_metrics(scores[200:], present[200:], ("often", "seldom"), list(thresholds))["macro_f1"]
        for thresholds in ([0.5, 0.5], tuned.values())
    )
    assert at_half < 0.6
    assert at_tuned > 0.95


def test_a_threshold_lies_in_the_middle_between_what_is_accepted_and_what_is_not():
    assert tune_thresholds([[0.9], [0.7], [0.3]], [[1], [1], [0]], ("happy",)) == {"happy": pytest.approx(0.5)}
    assert tune_thresholds([[0.4], [0.6]], [[1], [1]], ("happy",)) == {"happy": pytest.approx(0.2)}


def test_between_neighbouring_numbers_the_threshold_is_the_accepted_one():
    refused = np.nextafter(0.7, 0)
    assert tune_thresholds([[0.7], [refused]], [[1], [0]], ("happy",)) == {"happy": 0.7}


def test_tied_rows_are_accepted_together():
    tuned = tune_thresholds([[0.8], [0.8], [0.8], [0.1]], [[1], [1], [0], [0]], ("happy",))
    assert tuned == {"happy": pytest.approx(0.45)}


def test_nan_is_refused():
    with pytest.raises(DataError, match="row 0 holds NaN"):
        tune_thresholds([[np.nan]], [[1]], ("happy",))
