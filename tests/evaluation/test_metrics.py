"""The figures are those of scikit-learn, scipy and torchmetrics, to 1e-6, also where the data is degenerate."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.errors import DataError
from emolens.evaluation.metrics import compute_metrics

torch = pytest.importorskip("torch", reason="the references need the `train` extra")
scipy_special = pytest.importorskip("scipy.special")
scipy_stats = pytest.importorskip("scipy.stats")
sklearn_metrics = pytest.importorskip("sklearn.metrics")
torchmetrics_functional = pytest.importorskip("torchmetrics.functional")

LABELS = ("happy", "sad", "angry", "fear")


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"label{index}" for index in range(count))


def normalised(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=1, keepdims=True)


@st.composite
def distributions(draw: st.DrawFn, rows: int, columns: int) -> np.ndarray:
    """Continuous, full of ties and zeros, one-hot, all alike, or with columns that are never used."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["continuous", "votes", "one_hot", "constant", "empty_class"]))
    if kind == "votes":
        return rng.multinomial(8, np.full(columns, 1 / columns), rows) / 8
    if kind == "one_hot":
        return np.eye(columns)[rng.integers(0, columns, rows)]
    values = rng.dirichlet(np.full(columns, 0.5), rows)
    if kind == "constant":
        values[:] = values[0]
    if kind == "empty_class" and columns > 1:
        values[:, 0] = 0
    return normalised(values + 1e-12)


@st.composite
def cases(draw: st.DrawFn, least_labels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(least_labels, 8))
    return draw(distributions(rows, columns)), draw(distributions(rows, columns))


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
    assert found["macro_precision"] == close(averages["macro"][0])
    assert found["macro_recall"] == close(averages["macro"][1])
    for average, (_, _, f1, _) in averages.items():
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
    assert not {"kl", "vote_ece", "pearson"} & set(found)


@given(cases())
def test_nll_and_kl_of_soft_targets_are_those_of_scipy(case):
    probabilities, targets = case
    found = compute_metrics(probabilities, targets, names(targets.shape[1]))
    kl = scipy_special.rel_entr(targets, np.maximum(probabilities, np.finfo(float).eps)).sum(axis=1).mean()
    assert found["nll"] == close(kl + scipy_stats.entropy(targets, axis=1).mean())
    if "kl" in found:
        assert found["kl"] == close(kl)
        assert found["kl"] >= 0


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
