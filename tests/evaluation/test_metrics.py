"""The figures are those of scikit-learn, scipy and torchmetrics, to 1e-6, also where the data is degenerate."""

import json
from math import gcd
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from answers import cases, distributions, names
from emolens.errors import DataError
from emolens.evaluation.metrics import compute_metrics

pandas = pytest.importorskip("pandas", reason="the references need the `evaluate` extra")
torch = pytest.importorskip("torch", reason="the references need the `train` extra")
scipy_distance = pytest.importorskip("scipy.spatial.distance")
scipy_special = pytest.importorskip("scipy.special")
scipy_stats = pytest.importorskip("scipy.stats")
sklearn_metrics = pytest.importorskip("sklearn.metrics")
torchmetrics_functional = pytest.importorskip("torchmetrics.functional")

LABELS = ("happy", "sad", "angry", "fear")


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


@given(cases(least_labels=2))
def test_the_figures_over_labels_are_those_of_scikit_learn_with_every_label_named(case):
    probabilities, targets = case
    count = targets.shape[1]
    found = compute_metrics(probabilities, targets, names(count))
    truth, answer = targets.argmax(axis=1), probabilities.argmax(axis=1)
    every = {"labels": range(count), "zero_division": 0}
    averages = {
        average: sklearn_metrics.precision_recall_fscore_support(truth, answer, average=average, **every)
        for average in ("macro", "micro", "weighted")
    }
    assert found["n"] == len(truth)
    assert found["accuracy"] == close(sklearn_metrics.accuracy_score(truth, answer))
    for average, (precision, recall, f1, _) in averages.items():
        assert found[f"{average}_precision"] == close(precision)
        assert found[f"{average}_recall"] == close(recall)
        assert found[f"{average}_f1"] == close(f1)
    assert found["confusion"] == sklearn_metrics.confusion_matrix(truth, answer, labels=range(count)).tolist()
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(truth, answer, **every)
    for index, scores in enumerate(found["per_class"].values()):
        assert scores["precision"] == close(precision[index])
        assert scores["recall"] == close(recall[index])
        assert scores["f1"] == close(f1[index])
        assert scores["support"] == support[index]


@given(cases(least_labels=4), st.integers(2, 3))
def test_top_k_accuracy_is_that_of_scikit_learn_with_ties_going_to_the_first_label(case, k):
    probabilities, targets = case
    count, truth = targets.shape[1], targets.argmax(axis=1)
    # scikit-learn ranks the last of tied labels first, so it is shown the columns backwards.
    wanted = sklearn_metrics.top_k_accuracy_score(
        count - 1 - truth, probabilities[:, ::-1], k=k, labels=np.arange(count)
    )
    assert compute_metrics(probabilities, targets, names(count))[f"top{k}_accuracy"] == close(wanted)


def test_top_k_is_certain_where_there_are_no_more_than_k_labels():
    found = compute_metrics([[0.9, 0.1], [0.8, 0.2]], [[0, 1], [1, 0]], ("a", "b"))
    assert (found["accuracy"], found["top2_accuracy"], found["top3_accuracy"]) == (0.5, 1, 1)


@given(cases(least_labels=2))
def test_nll_and_brier_of_hard_targets_are_those_of_scikit_learn(case):
    probabilities, targets = case
    count, truth = targets.shape[1], targets.argmax(axis=1)
    found = compute_metrics(probabilities, np.eye(count)[truth], names(count))
    assert found["nll"] == close(sklearn_metrics.log_loss(truth, probabilities, labels=range(count)))
    brier = np.mean(np.sum((probabilities - np.eye(count)[truth]) ** 2, axis=1))
    if count > 2:
        brier = sklearn_metrics.brier_score_loss(truth, probabilities, labels=range(count), scale_by_half=False)
    assert found["brier"] == close(brier)
    assert not {"kl", "vote_ece", "pearson", "jensen_shannon", "cosine_similarity", "chebyshev"} & set(found)


@given(cases())
def test_nll_and_kl_of_soft_targets_are_those_of_scipy(case):
    probabilities, targets = case
    found = compute_metrics(probabilities, targets, names(targets.shape[1]))
    kl = scipy_special.rel_entr(targets, np.maximum(probabilities, np.finfo(float).eps)).sum(axis=1).mean()
    assert found["nll"] == close(kl + scipy_stats.entropy(targets, axis=1).mean())
    if "kl" in found:
        assert found["kl"] == close(kl)
        assert found["kl"] >= 0


@given(cases())
def test_distances_of_soft_targets_are_means_of_those_of_scipy(case):
    probabilities, targets = case
    found = compute_metrics(probabilities, targets, names(targets.shape[1]))
    if "jensen_shannon" not in found:
        return
    distances = {
        "jensen_shannon": scipy_distance.jensenshannon(targets, probabilities, axis=1) ** 2,
        "cosine_similarity": [1 - scipy_distance.cosine(*pair) for pair in zip(targets, probabilities, strict=True)],
        "chebyshev": [scipy_distance.chebyshev(*pair) for pair in zip(targets, probabilities, strict=True)],
    }
    for name, wanted in distances.items():
        assert found[name] == close(np.mean(wanted))


@given(cases(least_labels=2))
def test_ece_is_that_of_torchmetrics(case):
    probabilities, targets = case
    count, truth = targets.shape[1], targets.argmax(axis=1)
    # torchmetrics has a sixteenth bin for certainty alone, so certainty is brought just under it.
    probabilities = (1 - 1e-6) * probabilities + 1e-6 / count
    wanted = torchmetrics_functional.classification.multiclass_calibration_error(
        torch.tensor(probabilities), torch.tensor(truth), num_classes=count, n_bins=15, norm="l1"
    )
    assert compute_metrics(probabilities, targets, names(count))["ece"] == close(float(wanted))


@given(st.data())
def test_adaptive_ece_has_the_quantiles_of_numpy_and_the_bins_of_pandas(data):
    rows = data.draw(st.integers(1, 100))
    # Where a quantile is a row's own confidence, numpy's rounding decides on which side of the edge that row falls.
    assume(gcd(rows - 1, 15) == 1)
    probabilities, targets = data.draw(distributions(rows, 3)), data.draw(distributions(rows, 3))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets.argmax(axis=1)
    found = compute_metrics(probabilities, targets, names(3))["adaptive_ece"]
    edges = [-np.inf, *np.unique(np.quantile(confidence, np.arange(1, 15) / 15)), np.inf]
    gaps = pandas.Series(confidence - right).groupby(pandas.cut(confidence, edges, labels=False)).sum()
    assert found == close(gaps.abs().sum() / rows)


def test_every_bin_of_adaptive_ece_has_as_many_rows_and_equal_confidences_share_one():
    probabilities = [[0.9, 0.1]] * 15 + [[0.6, 0.4]] * 15
    # The 0.9s are always wrong and the 0.6s always right.
    found = compute_metrics(probabilities, [[0, 1]] * 15 + [[1, 0]] * 15, ("happy", "sad"))
    assert found["adaptive_ece"] == close((0.9 + 0.4) / 2)
    spread = np.linspace(0.9, 0.91, 16)  # one row to each bin, two to the first, though all in one bin of `ece`
    right = np.arange(16) % 2 == 0
    found = compute_metrics(np.column_stack([spread, 1 - spread]), np.column_stack([right, ~right]), ("happy", "sad"))
    gaps = spread - right
    assert found["adaptive_ece"] == close((abs(gaps[:2].sum()) + np.abs(gaps[2:]).sum()) / 16)
    assert found["ece"] == close(abs(gaps.sum()) / 16)


@given(cases())
def test_vote_ece_compares_each_bin_of_confidence_with_the_votes_for_the_answer(case):
    probabilities, targets = case
    found = compute_metrics(probabilities, targets, names(targets.shape[1]))
    if "vote_ece" not in found:
        return
    answer, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    share = targets[np.arange(len(targets)), answer]
    wanted = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15 if number < 14 else np.inf
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            wanted += inside.mean() * abs(confidence[inside].mean() - share[inside].mean())
    assert found["vote_ece"] == close(wanted)


@given(cases())
def test_pearson_is_that_of_scipy_and_none_where_nothing_varies(case):
    probabilities, targets = case
    found = compute_metrics(probabilities, targets, names(targets.shape[1])).get("pearson", {})
    for column, r in enumerate(found.values()):
        first, second = probabilities[:, column], targets[:, column]
        if np.ptp(first) == 0 or np.ptp(second) == 0:
            assert r is None
        elif np.ptp(first) > 1e-9 and np.ptp(second) > 1e-9:  # under it scipy warns that its own answer is noise
            assert r == close(scipy_stats.pearsonr(first, second).statistic)


@given(cases())
def test_every_figure_is_plain_json(case):
    probabilities, targets = case
    found = compute_metrics(probabilities.astype(np.float32), targets, names(targets.shape[1]))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_predictor_of_the_votes_has_no_vote_ece_and_no_kl_though_its_ece_is_large():
    votes = np.tile([[0.6, 0.4, 0, 0], [0.4, 0.6, 0, 0]], (50, 1))
    found = compute_metrics(votes, votes, LABELS)
    assert found["vote_ece"] == close(0)
    assert found["kl"] == close(0)
    assert found["ece"] == close(0.4)
    assert found["pearson"] == {"happy": close(1), "sad": close(1), "angry": None, "fear": None}


def test_rows_of_the_confusion_are_the_truth():
    found = compute_metrics([[0.7, 0.3], [0.6, 0.4]], [[0, 1], [1, 0]], ("happy", "sad"))
    assert found["confusion"] == [[1, 0], [1, 0]]


def test_certainty_shares_the_last_bin_with_what_is_nearly_certain():
    found = compute_metrics([[1.0, 0], [0.98, 0.02]], [[0, 1], [1, 0]], ("happy", "sad"))
    assert found["ece"] == close((1.98 - 1) / 2)


def test_a_certain_mistake_costs_much_but_not_infinity():
    assert compute_metrics([[1.0, 0]], [[0, 1]], ("happy", "sad"))["nll"] == close(-np.log(np.finfo(float).eps))


@given(cases(least_labels=2), st.integers(0, 2**32 - 1))
def test_a_row_without_an_answer_is_wrong_and_no_answer_and_left_out_of_the_rest(case, seed):
    probabilities, targets = case
    count = targets.shape[1]
    answered = np.random.default_rng(seed).random(len(targets)) < 0.7
    assume(answered.any())
    blank = np.where(answered[:, None], probabilities, 0)
    found = compute_metrics(blank, targets, names(count), answered)
    assert (found["n"], found["missed"]) == (len(targets), (~answered).sum())

    # To scikit-learn, no answer is a label of its own, which is never true.
    truth, answer = targets.argmax(axis=1), np.where(answered, probabilities.argmax(axis=1), count)
    assert found["accuracy"] == close(sklearn_metrics.accuracy_score(truth, answer))
    for average in ("macro", "micro", "weighted"):
        precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
            truth, answer, labels=range(count), average=average, zero_division=0
        )
        assert found[f"{average}_precision"] == close(precision)
        assert found[f"{average}_recall"] == close(recall)
        assert found[f"{average}_f1"] == close(f1)
    supports = [scores["support"] for scores in found["per_class"].values()]
    assert supports == np.bincount(truth, minlength=count).tolist()

    alone = compute_metrics(probabilities[answered], targets[answered], names(count))
    assert found["confusion"] == alone["confusion"]
    assert found["top2_accuracy"] == close(alone["top2_accuracy"] * answered.mean())
    assert found["top3_accuracy"] == close(alone["top3_accuracy"] * answered.mean())
    for name in ("nll", "brier", "ece", "adaptive_ece"):
        assert found[name] == close(alone[name])
    if "kl" in alone:
        for name in ("vote_ece", "kl", "jensen_shannon", "cosine_similarity", "chebyshev"):
            assert found[name] == close(alone[name])
        assert found["pearson"] == alone["pearson"]


def test_where_every_row_is_answered_the_figures_are_the_same_and_none_is_missed():
    probabilities, targets = [[0.7, 0.3], [0.4, 0.6]], [[1, 0], [1, 0]]
    plain = compute_metrics(probabilities, targets, ("happy", "sad"))
    assert compute_metrics(probabilities, targets, ("happy", "sad"), [True, True]) == {**plain, "missed": 0}


def test_where_no_row_is_answered_nothing_is_right_and_nothing_is_said_about_the_answers():
    found = compute_metrics(np.zeros((3, 4)), [[0.6, 0.4, 0, 0]] * 3, LABELS, [False] * 3)
    assert (found["missed"], found["accuracy"], found["macro_f1"]) == (3, 0, 0)
    assert found["pearson"] == dict.fromkeys(LABELS)
    assert not {"nll", "brier", "ece", "adaptive_ece", "vote_ece", "kl", "chebyshev"} & set(found)


def test_a_mask_that_does_not_fit_the_rows_is_refused():
    with pytest.raises(DataError, match="answered has the shape"):
        compute_metrics(GOOD, GOOD, LABELS, [True, True])


GOOD = [[0.7, 0.1, 0.1, 0.1]]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([[np.nan, 0.5, 0.5, 0]], "row 0 holds NaN or infinity"),
        ([[np.inf, 0, 0, 0]], "row 0 holds NaN or infinity"),
        ([[1.5, -0.5, 0, 0]], "row 0 is negative"),
        ([[0.7, 0.7, 0, 0]], "row 0 does not sum to one"),
        ([[0, 0, 0, 0]], "row 0 does not sum to one"),
        ([[0.5, 0.5]], "shape"),
        ([0.25, 0.25, 0.25, 0.25], "shape"),
        (np.zeros((0, 4)), "empty"),
    ],
)
def test_what_is_no_distribution_is_refused_on_either_side(bad, said):
    with pytest.raises(DataError, match=f"probabilities.*{said}"):
        compute_metrics(bad, GOOD, LABELS)
    with pytest.raises(DataError, match=f"targets.*{said}"):
        compute_metrics(GOOD, bad, LABELS)


def test_the_row_that_is_wrong_is_named():
    with pytest.raises(DataError, match="targets: row 2 does not sum to one"):
        compute_metrics(GOOD * 3, [*GOOD, *GOOD, [0.5, 0, 0, 0]], LABELS)


def test_more_rows_on_one_side_are_refused():
    with pytest.raises(DataError, match="2 rows of probabilities and 1 of targets"):
        compute_metrics(GOOD * 2, GOOD, LABELS)
