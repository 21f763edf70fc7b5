"""From which probability on a label counts as present, label by label."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from emolens.evaluation.figures import ratio
from emolens.evaluation.multilabel import check_presence

UNTUNED = 0.5
"""For a label that no row has: present when it is likelier than not, the fewest mistakes if probabilities are true."""


def tune_thresholds(probabilities: ArrayLike, targets: ArrayLike, labels: Sequence[str]) -> dict[str, float]:
    """For each label the threshold with the best F1; to be tuned on other rows than are measured afterwards.

    Of thresholds with the same F1 the highest counts, since it claims least; it lies in the middle between the last
    probability that it accepts and the first that it does not. A label that no row has gets `UNTUNED`.

    Args:
        probabilities: `(N, L)`, each in 0 to 1.
        targets: `(N, L)`, each in 0 to 1: a label is present from one half on.
        labels: the L names of the columns.

    Returns:
        For each label a threshold in 0 to 1: at or over it the label is present.

    Raises:
        DataError: the arrays are empty, differ in shape, or hold what is no probability.
    """
    predicted, target = check_presence(probabilities, targets, labels)
    truth = target >= 0.5
    order = np.argsort(-predicted, axis=0)
    ranked = np.take_along_axis(predicted, order, axis=0)
    below = np.vstack([ranked[1:], np.zeros((1, len(labels)))])
    hits = np.take_along_axis(truth, order, axis=0).cumsum(axis=0)
    answers, support = np.arange(1, len(ranked) + 1)[:, None], truth.sum(axis=0)
    f1 = ratio(2 * hits, answers + support)
    # Nothing can be told apart within a tie, and nothing lies under a probability of zero.
    f1[(ranked == below) & (np.arange(len(ranked))[:, None] < len(ranked) - 1)] = -1
    best = f1.argmax(axis=0)
    accepted, refused = (np.take_along_axis(rows, best[None], axis=0)[0] for rows in (ranked, below))
    middle = (accepted + refused) / 2
    # Between neighbouring numbers there is no middle: it would be the refused one.
    chosen = np.where(middle > refused, middle, accepted)
    return {
        label: float(threshold) if present else UNTUNED
        for label, threshold, present in zip(labels, chosen, support > 0, strict=True)
    }
