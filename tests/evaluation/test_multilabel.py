"""The figures of labels that are present together are those of scikit-learn, also where the data is degenerate."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import multilabel_cases, names
from emolens.errors import DataError
from emolens.evaluation.metrics import compute_multilabel_metrics

sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="the references need the `evaluate` extra")


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


@given(multilabel_cases(), st.sampled_from([0.25, 0.5, 0.6, 1.0]))
def test_the_figures_are_those_of_scikit_learn_with_a_threshold_for_each_label(case, first):
    scores, present = case
    thresholds = [first, *[0.5] * (scores.shape[1] - 1)]
    found = compute_multilabel_metrics(scores, present, names(scores.shape[1]), thresholds)
    answers = scores >= thresholds
    assert found["n"] == len(scores)
    assert found["subset_accuracy"] == close(sklearn_metrics.accuracy_score(present, answers))
    for average in ("macro", "micro", "weighted"):
        precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
            present, answers, average=average, zero_division=0
        )
        assert found[f"{average}_precision"] == close(precision)
        assert found[f"{average}_recall"] == close(recall)
        assert found[f"{average}_f1"] == close(f1)
    each = sklearn_metrics.precision_recall_fscore_support(present, answers, average=None, zero_division=0)
    for scores_of_label, wanted in zip(found["per_class"].values(), zip(*each, strict=True), strict=True):
        assert list(scores_of_label.values()) == close(wanted)
    assert found["thresholds"] == dict(zip(names(len(thresholds)), thresholds, strict=True))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@given(multilabel_cases())
def test_mean_average_precision_is_that_of_scikit_learn_over_the_labels_that_are_present(case):
    scores, present = case
    found = compute_multilabel_metrics(scores, present, names(scores.shape[1]), [0.5] * scores.shape[1])
    wanted = [
        sklearn_metrics.average_precision_score(truth, score)
        for truth, score in zip(present.T, scores.T, strict=True)
        if truth.any()
    ]
    assert found["mean_average_precision"] == close(np.mean(wanted) if wanted else 0)


@given(multilabel_cases())
def test_nll_is_the_mean_over_labels_of_that_of_scikit_learn(case):
    scores, present = case
    found = compute_multilabel_metrics(scores, present, names(scores.shape[1]), [0.5] * scores.shape[1])
    wanted = [
        sklearn_metrics.log_loss(truth, score, labels=[0, 1]) for truth, score in zip(present.T, scores.T, strict=True)
    ]
    assert found["nll"] == close(np.mean(wanted))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([[np.nan, 0.5]], "row 0 holds NaN"),
        ([[-0.1, 0.5]], "row 0 is negative"),
        ([[0.5, 1.5]], "row 0 is over one"),
        ([[0.5]], "shape"),
        (np.zeros((0, 2)), "empty"),
    ],
)
def test_what_is_no_probability_is_refused_on_either_side(bad, said):
    for pair, name in (((bad, [[1, 0]]), "probabilities"), (([[0.2, 0.3]], bad), "targets")):
        with pytest.raises(DataError, match=f"{name}.*{said}"):
            compute_multilabel_metrics(*pair, ("happy", "sad"), [0.5, 0.5])


def test_a_threshold_is_wanted_for_each_label():
    with pytest.raises(DataError, match="1 thresholds for 2 labels"):
        compute_multilabel_metrics([[0.2, 0.3]], [[1, 0]], ("happy", "sad"), [0.5])
