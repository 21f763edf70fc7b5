"""The figures of `metrics.json`, for single-label targets, hard or soft.

Where scikit-learn, scipy and torchmetrics have a figure, theirs is the definition and the tests hold them to it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolens.errors import DataError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BINS = 15

# A softmax in half precision leaves rows this far from one; logits passed by mistake are further off.
_SUM_TOLERANCE = 1e-3
# As scikit-learn's log_loss: a zero where the truth lies costs 36 nats, not infinity.
_SMALLEST = float(np.finfo(np.float64).eps)


def compute_metrics(probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str]) -> dict[str, Any]:
    """Compares predicted with true distributions.

    The truth of a row is its target's top label, the first one where several tie (`Dataset.without_ties` leaves such
    rows out); the prediction likewise. Precision, recall and F1 are zero where undefined. Macro averages run over all
    of `labels`, also those without a row. With one label per row micro F1 is the accuracy.

    - `nll`: mean cross-entropy against the target, in nats; the usual negative log-likelihood where targets are
      one-hot. Probabilities are raised to at least 2.2e-16 first, here and in `kl`.
    - `brier`: squared distance of probabilities and target, summed over labels, mean over rows (0 to 2).
    - `ece`: expected calibration error (Guo et al., 2017) over 15 equal-width bins `[a, b)` of the top probability,
      the last one closed, against being right; `vote_ece` against the target's share of the predicted label.
    - `kl`: mean KL(target || prediction), in nats. `pearson`: r over the rows, None for a label whose targets or
      probabilities do not vary.

    Args:
        probabilities: `(N, L)`; rows sum to one.
        targets: `(N, L)`; rows sum to one, one-hot or distributions.
        labels: the L names of the columns.

    Returns:
        `n, accuracy, top2_accuracy, top3_accuracy, macro_f1, micro_f1, weighted_f1, macro_precision, macro_recall,
        per_class {label: {precision, recall, f1, support}}, confusion` (rows: truth, columns: prediction), `nll, brier,
        ece`, and where any target is a distribution `vote_ece, kl, pearson {label: r}`; JSON-able.

    Raises:
        DataError: the arrays are empty, differ in shape, or a row is no distribution (NaN, negative, wrong sum).
    """
    predicted = _distributions("probabilities", probabilities, labels)
    target = _distributions("targets", targets, labels)
    _check_as_many(predicted, target)

    truth, answer, confidence = target.argmax(axis=1), predicted.argmax(axis=1), predicted.max(axis=1)
    metrics = {
        "n": len(truth),
        **_accuracies(predicted, truth),
        **_class_scores(_confusion(truth, answer, len(labels)), labels),
        "nll": float(_cross_entropy(target, predicted).mean()),
        "brier": float(np.square(predicted - target).sum(axis=1).mean()),
        "ece": _calibration_error(confidence, answer == truth),
    }
    if np.any((target > 0) & (target < 1)):
        vote_share = np.take_along_axis(target, answer[:, None], axis=1)[:, 0]
        metrics["vote_ece"] = _calibration_error(confidence, vote_share)
        metrics["kl"] = max(0.0, metrics["nll"] - float(_cross_entropy(target, target).mean()))
        metrics["pearson"] = {
            label: _pearson(predicted[:, column], target[:, column]) for column, label in enumerate(labels)
        }
    return metrics


def compute_multilabel_metrics(
    probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str], threshold: float
) -> dict[str, Any]:
    """Compares probabilities of labels that may be present together with which of them are.

    Precision, recall and F1 are zero where undefined; macro averages run over all of `labels`.

    - `exact_match`: the share of rows in which every label is right (scikit-learn's accuracy of multi-label rows).
    - `mean_average_precision`: over the labels that are present in some row.
    - `nll`: mean binary cross-entropy over rows and labels, in nats.

    Args:
        probabilities: `(N, L)`, each in 0 to 1.
        targets: `(N, L)`: a label is present from one half on.
        labels: the L names of the columns.
        threshold: a label at or over it is predicted to be present.

    Returns:
        `n, exact_match, macro_f1, micro_f1, macro_precision, macro_recall, mean_average_precision, per_class {label:
        {precision, recall, f1, support}}, nll`; JSON-able.

    Raises:
        DataError: the arrays are empty, differ in shape, or hold what is no probability.
    """
    predicted, target = (
        _rows(name, rows, labels) for name, rows in (("probabilities", probabilities), ("targets", targets))
    )
    _check_as_many(predicted, target)
    truth, answer = target >= 0.5, predicted >= threshold
    hits, support, answers = (truth & answer).sum(axis=0), truth.sum(axis=0), answer.sum(axis=0)
    present = np.flatnonzero(support)
    precisions = [_average_precision(predicted[:, column], truth[:, column]) for column in present]
    clipped = np.clip(predicted, _SMALLEST, 1 - _SMALLEST)
    costs = -(target * np.log(clipped) + (1 - target) * np.log1p(-clipped))
    return {
        "n": len(truth),
        "exact_match": float((truth == answer).all(axis=1).mean()),
        "mean_average_precision": float(np.mean(precisions)) if precisions else 0.0,
        "micro_f1": float(2 * hits.sum() / max(support.sum() + answers.sum(), 1)),
        **_scores_by_label(hits, support, answers, labels),
        "nll": float(costs.mean()),
    }


def _average_precision(scores: Floats, truth: NDArray[np.bool_]) -> float:
    # As scikit-learn's: precision at every distinct score, weighted by the recall that it adds.
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    precision, recall = (hits / np.arange(1, len(hits) + 1))[last_of_score], (hits / hits[-1])[last_of_score]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def _distributions(name: str, values: ArrayLike, labels: Sequence[str]) -> Floats:
    rows = _rows(name, values, labels)
    off = np.abs(rows.sum(axis=1) - 1) > _SUM_TOLERANCE
    if off.any():
        raise DataError(f"{name}: row {off.argmax()} does not sum to one; pass a softmax or normalised votes")
    return rows


def _check_as_many(predicted: Floats, target: Floats) -> None:
    if len(predicted) != len(target):
        raise DataError(f"there are {len(predicted)} rows of probabilities and {len(target)} of targets; pass as many")


def _rows(name: str, values: ArrayLike, labels: Sequence[str]) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(labels):
        raise DataError(f"{name} have the shape {rows.shape}; wanted (N, {len(labels)}), a column for each label")
    if len(rows) == 0:
        raise DataError(f"{name} are empty; there is nothing to measure, so check the split")
    for wrong, what in (
        (~np.isfinite(rows).all(axis=1), "holds NaN or infinity; the model or its input is broken"),
        ((rows < 0).any(axis=1), "is negative somewhere; pass probabilities, not logits"),
    ):
        if wrong.any():
            raise DataError(f"{name}: row {wrong.argmax()} {what}")
    return rows


def _accuracies(predicted: Floats, truth: Indices) -> dict[str, float]:
    # Stable, so that among ties the first label comes first, as in argmax.
    ranked = np.argsort(-predicted, axis=1, kind="stable")
    hit_at = (ranked == truth[:, None]).argmax(axis=1)
    names = ("accuracy", "top2_accuracy", "top3_accuracy")
    return {name: float(np.mean(hit_at <= place)) for place, name in enumerate(names)}


def _confusion(truth: Indices, answer: Indices, size: int) -> Indices:
    return np.bincount(truth * size + answer, minlength=size * size).reshape(size, size)


def _class_scores(confusion: Indices, labels: Sequence[str]) -> dict[str, Any]:
    hits, support, answers = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    scores = _scores_by_label(hits, support, answers, labels)
    f1 = [one["f1"] for one in scores["per_class"].values()]
    return {
        **scores,
        "micro_f1": float(hits.sum() / support.sum()),
        "weighted_f1": float(np.average(f1, weights=support)),
        "confusion": confusion.tolist(),
    }


def _scores_by_label(hits: Indices, support: Indices, answers: Indices, labels: Sequence[str]) -> dict[str, Any]:
    precision, recall, f1 = _ratio(hits, answers), _ratio(hits, support), _ratio(2 * hits, support + answers)
    columns = zip(labels, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
    return {
        "macro_f1": float(f1.mean()),
        "macro_precision": float(precision.mean()),
        "macro_recall": float(recall.mean()),
        "per_class": {
            label: {"precision": p, "recall": r, "f1": f, "support": count} for label, p, r, f, count in columns
        },
    }


def _ratio(part: Indices, whole: Indices) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return ratio


def _cross_entropy(target: Floats, predicted: Floats) -> Floats:
    costs: Floats = (target * -np.log(np.maximum(predicted, _SMALLEST))).sum(axis=1)
    return costs


def _calibration_error(confidence: Floats, outcome: NDArray[Any]) -> float:
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - outcome, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _pearson(first: Floats, second: Floats) -> float | None:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.clip(_standardised(first) @ _standardised(second), -1, 1))


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean()
    centred /= np.abs(centred).max()  # so that the squares of tiny values do not vanish
    standardised: Floats = centred / np.linalg.norm(centred)
    return standardised
