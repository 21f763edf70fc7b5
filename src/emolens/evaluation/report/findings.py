"""What there is to see in an evaluation, beyond its figures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emolens.errors import DataError
from emolens.evaluation.abstention import OperatingPoint, RiskCoverage, choose_threshold, risk_coverage
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.plots.intervals import interval_of_share
from emolens.evaluation.plots.precision_recall import Curve, precision_recall
from emolens.evaluation.plots.reliability import Bins, reliability_bins
from emolens.evaluation.plots.slices import Slice
from emolens.evaluation.report.mistakes import Mistake, wrong_answers, wrong_presences
from emolens.evaluation.single_label import SingleLabel

# Which figure is shown for every slice: whichever of these the evaluation has.
_OF_SLICES = {"accuracy": "accuracy", "subset_accuracy": "subset accuracy"}

_RISKS = (0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Findings:
    """What plots and page are made from.

    Attributes:
        curves: precision and recall of every label that can be found.
        mistakes: those of which the model was the most certain.
        slice_figure: key and name of the figure that is shown for every slice.
        slices: that figure.
        diagrams: by what the confidence is held against, as are the next three only where one label is right.
        risk: how often answers are wrong, by how many there are.
        thresholds: by how often an answer may be wrong, under which confidence none is given; None where none is
            good enough.
        voters_ece: where targets are votes, the `ece` of whoever knows the votes: confidence is the share of the most
            frequent vote, which is always right.
    """

    curves: dict[str, Curve]
    mistakes: list[Mistake]
    slice_figure: tuple[str, str]
    slices: dict[str, Slice]
    diagrams: dict[str, Bins]
    risk: RiskCoverage | None
    thresholds: dict[float, OperatingPoint | None]
    voters_ece: float | None


def find(evaluation: Evaluation) -> Findings:
    """Goes through an evaluation once."""
    dataset, predicted = evaluation.dataset, evaluation.probabilities
    key, name = next((key, name) for key, name in _OF_SLICES.items() if key in evaluation.metrics)
    slices = {
        part: Slice(figures["n"], figures[key], *interval_of_share(figures[key], figures["n"]))
        for part, figures in evaluation.metrics.get("slices", {}).items()
    }
    if dataset.objective == "multilabel":
        thresholds = [evaluation.metrics["thresholds"][label] for label in dataset.labels]
        several = MultiLabel(predicted, dataset.targets, dataset.labels, thresholds)
        return Findings(
            _curves(evaluation, several.support, mark=True),
            wrong_presences(dataset, predicted, several),
            (key, name),
            slices,
            diagrams={},
            risk=None,
            thresholds={},
            voters_ece=None,
        )
    one = SingleLabel(predicted, dataset.targets, dataset.labels, evaluation.answered)
    confidence, right = one.predicted.max(axis=1), one.answered & (one.answer == one.truth)
    return Findings(
        _curves(evaluation, one.truth[:, None] == np.arange(len(dataset.labels)), mark=False),
        wrong_answers(dataset, one),
        (key, name),
        slices,
        _diagrams(one),
        risk_coverage(confidence, right),
        {risk: _threshold(confidence, right, risk) for risk in _RISKS},
        float(1 - one.target[one.answered].max(axis=1).mean()) if one.soft and one.answered.any() else None,
    )


def _threshold(confidence: NDArray[np.float64], right: NDArray[np.bool_], risk: float) -> OperatingPoint | None:
    try:
        return choose_threshold(confidence, right, risk)
    except DataError:
        return None


def _diagrams(one: SingleLabel) -> dict[str, Bins]:
    rows = np.flatnonzero(one.answered)
    if not len(rows):
        return {}
    confidence, answer = one.predicted[rows].max(axis=1), one.answer[rows]
    diagrams = {"share of right answers": reliability_bins(confidence, answer == one.truth[rows])}
    if one.soft:
        diagrams["share of votes for the answer"] = reliability_bins(confidence, one.target[rows, answer])
    return diagrams


def _curves(evaluation: Evaluation, truth: NDArray[np.bool_], mark: bool) -> dict[str, Curve]:
    """Of `(N, L)` truth; with the point of each label's threshold, or without."""
    curves = {}
    for column, label in enumerate(evaluation.dataset.labels):
        scores = evaluation.metrics["per_class"][label]
        if truth[evaluation.answered, column].any():
            curve = precision_recall(evaluation.probabilities[:, column], truth[:, column], evaluation.answered)
            point = (scores["recall"], scores["precision"])
            curves[label] = curve._replace(operating_point=point) if mark else curve
    return curves
