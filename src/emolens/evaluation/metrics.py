"""The figures of `metrics.json`.

Where scikit-learn, scipy and torchmetrics have a figure, theirs is the definition and the tests hold them to it.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from emolens.evaluation.class_scores import by_label
from emolens.evaluation.figures import of_all_rows
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.single_label import SingleLabel


def compute_metrics(
    probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str], answered: ArrayLike | None = None
) -> dict[str, Any]:
    """Compares predicted with true distributions.

    The truth of a row is its target's top label, the first one where several tie (`Dataset.without_ties` leaves such
    rows out); the prediction likewise. Precision, recall and F1 are zero where undefined. Macro averages run over all
    of `labels`, also those without a row. Where every row has an answer, micro averages are the accuracy.

    A row without an answer is wrong in `accuracy`, top 2 and 3, recall, F1 and `support`, no answer in precision, and
    left out of all else. Where no row has one, only those figures are there.

    - `nll`: mean cross-entropy against the target, in nats; the usual negative log-likelihood where targets are
      one-hot. Probabilities are raised to at least 2.2e-16 first, here and in `kl`.
    - `brier`: squared distance of probabilities and target, summed over labels, mean over rows (0 to 2).
    - `ece`: expected calibration error (Guo et al., 2017) over 15 equal-width bins `[a, b)` of the top probability,
      the last one closed, against being right; `vote_ece` against the target's share of the predicted label.
    - `adaptive_ece`: against being right over 15 bins with as many rows each (Nguyen & O'Connor, 2015; Nixon et al.,
      2019): `(a, b]` between the quantiles of the top probability, so that equal ones stay together.
    - Means over rows: `kl`, KL(target || prediction) in nats; `jensen_shannon`, the divergence (no square root) in
      nats, 0 to ln 2; `cosine_similarity`; `chebyshev`, the largest distance at any label.
    - `pearson`: r over the rows, None for a label whose targets or probabilities do not vary.

    Args:
        probabilities: `(N, L)`; rows sum to one, those without an answer may be zero.
        targets: `(N, L)`; rows sum to one, one-hot or distributions.
        labels: the L names of the columns.
        answered: `(N,)` bool: whether there is an answer, such as a face that was found; None where there always is.

    Returns:
        `n, accuracy, top2_accuracy, top3_accuracy, {macro, micro, weighted}_{precision, recall, f1}, nll, brier, ece,
        adaptive_ece`, where any target is a distribution `vote_ece, kl, jensen_shannon, cosine_similarity, chebyshev,
        pearson {label: r}`, with `answered` the count `missed`, and `per_class {label: {precision, recall, f1,
        support}}, confusion` (rows: truth, columns: prediction); JSON-able.

    Raises:
        DataError: the arrays are empty, differ in shape, or a row is no distribution (NaN, negative, wrong sum).
    """
    measured = SingleLabel(probabilities, targets, labels, answered)
    return {
        "n": measured.rows,
        **({} if answered is None else {"missed": int((~measured.answered).sum())}),
        **of_all_rows(measured),
        **({"pearson": dict(zip(labels, measured.pearson, strict=True))} if measured.soft else {}),
        "per_class": by_label(measured.hits, measured.support, measured.answers, labels),
        "confusion": measured.confusion.tolist(),
    }


def compute_multilabel_metrics(
    probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str], thresholds: Sequence[float]
) -> dict[str, Any]:
    """Compares probabilities of labels that may be present together with which of them are.

    Precision, recall and F1 are zero where undefined; macro averages run over all of `labels`.

    - `subset_accuracy`: the share of rows in which every label is right (scikit-learn's accuracy of such rows).
    - `mean_average_precision`: over the labels that are present in some row.
    - `nll`: mean binary cross-entropy over rows and labels, in nats.

    Args:
        probabilities: `(N, L)`, each in 0 to 1.
        targets: `(N, L)`, each in 0 to 1: a label is present from one half on.
        labels: the L names of the columns.
        thresholds: for each label: at or over it, it is predicted to be present; `tune_thresholds` finds good ones.

    Returns:
        `n, subset_accuracy, mean_average_precision, {macro, micro, weighted}_{precision, recall, f1}, nll, per_class
        {label: {precision, recall, f1, support}}, thresholds {label: threshold}`; JSON-able.

    Raises:
        DataError: the arrays are empty, differ in shape, or hold what is no probability; or there is not a threshold
            for each label.
    """
    measured = MultiLabel(probabilities, targets, labels, thresholds)
    return {
        "n": measured.rows,
        **of_all_rows(measured),
        "per_class": by_label(measured.hits, measured.support, measured.answers, labels),
        "thresholds": {label: float(one) for label, one in zip(labels, thresholds, strict=True)},
    }
