"""Plots are drawn from the right numbers, and can be read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, precision_recall_curve

from emolens.evaluation.abstention import risk_coverage
from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.plots import draw_confusion
from emolens.evaluation.plots.confusion import confusion_figure
from emolens.evaluation.plots.intervals import interval_of_share
from emolens.evaluation.plots.precision_recall import MOST, precision_recall, precision_recall_figure
from emolens.evaluation.plots.reliability import reliability_bins, reliability_figure
from emolens.evaluation.plots.risk_coverage import risk_coverage_figure
from emolens.evaluation.plots.slices import Slice, slices_figure
from emolens.evaluation.plots.style import plot_style, short
from emolens.labels import LABEL_SETS

LABELS = ("happy", "sad", "angry")


def answers(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(3), count).astype(np.float32), rng.dirichlet(np.ones(3), count)


def words(figure: Figure) -> set[str]:
    with plot_style():
        figure.canvas.draw()
        return {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}


def test_a_confusion_matrix_is_coloured_by_its_rows_and_stays_a_picture_for_many_labels() -> None:
    picture = np.asarray(draw_confusion([[9000, 0], [0, 1]], ["happy", "sad"])).astype(int)
    ground, dark = picture[10:-10, 80:-130].reshape(-1, 3), (8, 48, 107)
    share = (np.abs(ground - dark).sum(axis=1) < 10).mean()
    assert 0.3 < share < 0.6, "both rows are all right, whatever their counts"
    assert max(draw_confusion(np.ones((300, 300), int).tolist(), [str(label) for label in range(300)]).size) < 4000


@pytest.mark.parametrize("labels", [LABEL_SETS["fer7"], ("n" * 28,) * 7])
def test_nothing_of_a_confusion_matrix_is_cut_off_at_an_edge(labels: tuple[str, ...]) -> None:
    picture = np.asarray(draw_confusion(np.full((7, 7), 12345).tolist(), labels))
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    assert all((edge == 255).all() for edge in edges)


def test_names_from_the_data_are_drawn_as_they_are_in_one_short_line() -> None:
    assert short("a\nb\x00") == r"a\nb\x00"
    assert len(short("a" * 1000)) == 28
    assert {r"$\frac", "9,000"} <= words(confusion_figure([[9000, 0], [0, 1]], [r"$\frac", "喜$"]))


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_the_bins_of_a_reliability_diagram_give_the_calibration_error(seed: int) -> None:
    predicted, votes = answers(seed)
    metrics = compute_metrics(predicted, votes, LABELS)
    confidence, answer = predicted.max(axis=1), predicted.argmax(axis=1)
    right = reliability_bins(confidence, answer == votes.argmax(axis=1))
    assert right.counts.sum() == len(predicted)
    assert right.error == pytest.approx(metrics["ece"], abs=1e-6)
    shares = reliability_bins(confidence, votes[np.arange(len(votes)), answer])
    assert shares.error == pytest.approx(metrics["vote_ece"], abs=1e-6)


def test_certainty_is_in_the_last_bin_and_empty_bins_have_no_mean() -> None:
    bins = reliability_bins([1.0, 0.99, 0.0], [True, False, False])
    assert bins.counts[[0, -1]].tolist() == [1, 2]
    assert bins.outcome[-1] == 0.5
    assert np.isnan(bins.confidence[1:-1]).all()
    assert {"ECE 0.330", "share of right answers"} <= words(reliability_figure({"share of right answers": bins}))


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_precision_and_recall_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 10, 50).astype(np.float32) / 10, rng.random(50) < 0.3
    truth[0] = True
    curve = precision_recall(scores, truth, np.ones(50, dtype=bool))
    precision, recall, _ = precision_recall_curve(truth, scores)
    np.testing.assert_allclose(curve.precision, precision[::-1])
    np.testing.assert_allclose(curve.recall, recall[::-1])
    assert curve.average_precision == pytest.approx(average_precision_score(truth, scores))
    assert curve.prevalence == truth.mean()


def test_what_was_not_answered_is_found_at_no_threshold() -> None:
    scores, truth = np.array([0.9, 0.8, 0.0], dtype=np.float32), np.array([True, False, True])
    curve = precision_recall(scores, truth, answered=np.array([True, True, False]))
    assert curve.recall.max() == 0.5
    assert curve.average_precision == 0.5
    assert curve.support == 2


def test_of_many_labels_the_curves_of_the_most_frequent_are_drawn_in_their_order() -> None:
    scores, everybody = np.linspace(0, 1, 40, dtype=np.float32), np.ones(40, dtype=bool)
    curves = {f"label {i}": precision_recall(scores, np.arange(40) <= i, everybody) for i in range(MOST + 2)}
    drawn = [axes.get_title(loc="left") or axes.get_title() for axes in precision_recall_figure(curves).axes]
    assert len(drawn) == MOST
    assert drawn[0].startswith("label 2\n")
    assert drawn[-1].endswith(f"n {MOST + 2}")


def test_risk_is_drawn_from_the_curve_up_to_the_risk_of_answering_always() -> None:
    curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [True, True, False, False])
    axes = risk_coverage_figure(curve).axes[0]
    model = next(line for line in axes.lines if line.get_label() == "the model")
    np.testing.assert_allclose(model.get_xydata()[-1], [1, 0.5])
    assert 0.5 < axes.get_ylim()[1] <= 1


def test_a_slice_is_a_dot_with_its_interval_and_hollow_where_there_are_few_samples() -> None:
    slices = {"dark": Slice(400, 0.5, 0.45, 0.55), "camera: phone": Slice(4, 0.25, 0.05, 0.7)}
    figure = slices_figure(slices, 0.6, "accuracy")
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == [0.5, 0.25]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, True]
    low, high = figure.axes[0].get_xlim()
    assert low < 0.05 < 0.7 < high
    assert "camera: phone  (n 4)" in words(figure)


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (37, 100)])
def test_the_interval_of_a_share_is_wilsons(right: int, count: int) -> None:
    low, high = interval_of_share(right / count, count)
    wanted = binomtest(right, count).proportion_ci(method="wilson")
    assert (low, high) == (wanted.low, wanted.high)
    assert low <= right / count <= high
