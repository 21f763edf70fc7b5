"""Intervals hold what they promise, and a difference is significant where there is one."""

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from answers import cases, multilabel_cases, names
from emolens.evaluation import bootstrap
from emolens.evaluation.bootstrap import bootstrap_intervals, paired_differences
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.single_label import SingleLabel

seeds = st.integers(0, 2**32 - 1)
LABELS = ("happy", "sad", "angry")


def resamples(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), 3)


def two_labels(right: np.ndarray, confidence: float = 0.8) -> SingleLabel:
    """Rows of the first label, answered rightly or not."""
    probabilities = np.where(right[:, None], [confidence, 1 - confidence], [1 - confidence, confidence])
    return SingleLabel(probabilities, np.tile([1.0, 0.0], (len(right), 1)), ("happy", "sad"))


@given(cases(least_labels=2), seeds, st.booleans())
def test_the_figures_of_a_resample_are_those_of_compute_metrics_on_its_rows(case, seed, all_answered):
    probabilities, targets = case
    labels, counts = names(targets.shape[1]), resamples(len(targets), seed)
    answered = np.random.default_rng(seed).random(len(targets)) < (1 if all_answered else 0.7)
    found = SingleLabel(probabilities, targets, labels, answered).of(counts.astype(np.float64))
    for number, count in enumerate(counts):
        rows = np.repeat(np.arange(len(targets)), count)
        wanted = compute_metrics(probabilities[rows], targets[rows], labels, answered[rows])
        for name, values in found.items():
            if np.isnan(values[number]):
                assert name not in wanted
            elif name in wanted:  # a resample may hold no soft target
                assert values[number] == pytest.approx(wanted[name], abs=1e-9)


@given(multilabel_cases(), seeds)
def test_the_figures_of_a_resample_are_those_of_compute_multilabel_metrics_on_its_rows(case, seed):
    scores, present = case
    labels, counts = names(scores.shape[1]), resamples(len(scores), seed)
    thresholds = [0.3, *[0.5] * (scores.shape[1] - 1)]
    found = MultiLabel(scores, present, labels, thresholds).of(counts.astype(np.float64))
    for number, count in enumerate(counts):
        rows = np.repeat(np.arange(len(scores)), count)
        wanted = compute_multilabel_metrics(scores[rows], present[rows], labels, thresholds)
        for name, values in found.items():
            assert values[number] == pytest.approx(wanted[name], abs=1e-9)


def test_every_scalar_figure_has_an_interval_around_it_and_the_same_one_each_time():
    rng = np.random.default_rng(1)
    targets = rng.multinomial(10, [0.5, 0.3, 0.2], 300) / 10
    probabilities = (targets + rng.dirichlet([1, 1, 1], 300)) / 2
    intervals = bootstrap_intervals(SingleLabel(probabilities, targets, LABELS))
    metrics = compute_metrics(probabilities, targets, LABELS)
    assert set(intervals) == {name for name, value in metrics.items() if isinstance(value, float)}
    for name in ("accuracy", "macro_f1", "nll", "kl", "chebyshev"):
        assert intervals[name][0] < metrics[name] < intervals[name][1]
    assert json.loads(json.dumps(intervals, allow_nan=False)) == intervals
    assert bootstrap_intervals(SingleLabel(probabilities, targets, LABELS)) == intervals


def test_the_interval_of_a_mean_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    right = np.random.default_rng(2).random(400) < 0.7
    low, high = bootstrap_intervals(two_labels(right))["accuracy"]
    wanted = stats.bootstrap((right,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=0.008)


def test_about_19_in_20_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    intervals = [bootstrap_intervals(two_labels(rng.random(100) < 0.7))["accuracy"] for _ in range(150)]
    assert 0.88 <= np.mean([low <= 0.7 <= high for low, high in intervals]) <= 1


def test_what_fits_in_memory_at_once_changes_nothing(monkeypatch):
    measured = two_labels(np.arange(50) % 3 > 0)
    at_once = bootstrap_intervals(measured)
    monkeypatch.setattr(bootstrap, "_CHUNK", 7 * 50)
    for name, interval in bootstrap_intervals(measured).items():
        assert interval == pytest.approx(at_once[name], abs=1e-9)


def test_resamples_without_an_answer_say_nothing_about_the_answers():
    answered = np.array([True, False, False])
    measured = SingleLabel(np.eye(3)[[0, 0, 0]] * answered[:, None], np.eye(3), LABELS, answered)
    intervals = bootstrap_intervals(measured)
    assert intervals["brier"] == [0, 0]
    assert intervals["accuracy"] == [0, 1]


def test_a_model_does_not_differ_from_itself():
    measured = two_labels(np.arange(60) % 4 > 0)
    for difference in paired_differences(measured, measured).values():
        assert difference.first == difference.second
        assert (difference.low, difference.high, difference.p) == (0, 0, 1)


def test_a_small_gain_is_significant_where_both_are_wrong_on_the_same_rows():
    right = np.arange(400) % 2 == 0
    better = right | (np.arange(400) < 20)
    found = paired_differences(two_labels(right), two_labels(better))["accuracy"]
    assert (found.first, found.second) == (0.5, 0.525)
    assert 0 < found.low < 0.025 < found.high
    assert found.p == pytest.approx(2 / 1001)
    alone = [bootstrap_intervals(two_labels(answers))["accuracy"] for answers in (right, better)]
    assert alone[0][1] > alone[1][0]


def test_of_models_that_are_as_good_about_1_in_20_differs_significantly():
    rng = np.random.default_rng(4)
    pairs = [(rng.random(100) < 0.6, rng.random(100) < 0.6) for _ in range(150)]
    p = np.array([paired_differences(*map(two_labels, pair))["accuracy"].p for pair in pairs])
    assert (p < 0.05).mean() < 0.12
    assert 0.35 < p.mean() < 0.65


@given(cases(least_labels=2))
def test_differences_turn_round_with_the_models(case):
    probabilities, targets = case
    assume(len(targets) > 1)
    pair = [SingleLabel(one, targets, names(targets.shape[1])) for one in (probabilities, probabilities[::-1])]
    there, back = paired_differences(*pair), paired_differences(*pair[::-1])
    for name, one in there.items():
        assert (one.first, one.second, one.p) == (back[name].second, back[name].first, back[name].p)
        assert (one.low, one.high) == pytest.approx((-back[name].high, -back[name].low), abs=1e-9)
