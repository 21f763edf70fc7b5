"""Precision, recall and F1 from what was right, what is true and what was answered; zero where undefined."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolens.evaluation.figures import Floats, ratio

Flags = NDArray[np.bool_]


class ClassScores(NamedTuple):
    """Each `(..., L)`."""

    precision: Floats
    recall: Floats
    f1: Floats


def score(hits: Floats, support: Floats, answers: Floats) -> ClassScores:
    """Of how many rows each label is true (`support`), was answered, and both (`hits`); arrays of one shape."""
    return ClassScores(ratio(hits, answers), ratio(hits, support), ratio(2 * hits, support + answers))


def averages(hits: Floats, support: Floats, answers: Floats) -> dict[str, Floats]:
    """The scores over all labels: each alike (macro), over all rows together (micro), by `support` (weighted).

    Args:
        hits, support, answers: `(B, L)`, as for `score`.

    Returns:
        `macro_precision, macro_recall, macro_f1, micro_precision, ...`, each `(B,)`.
    """
    by_label = score(hits, support, answers)
    together = score(hits.sum(axis=1), support.sum(axis=1), answers.sum(axis=1))
    averaged = {f"macro_{name}": values.mean(axis=1) for name, values in by_label._asdict().items()}
    averaged |= {f"micro_{name}": values for name, values in together._asdict().items()}
    return averaged | {
        f"weighted_{name}": ratio((values * support).sum(axis=1), support.sum(axis=1))
        for name, values in by_label._asdict().items()
    }


def by_label(hits: Flags, support: Flags, answers: Flags, labels: Sequence[str]) -> dict[str, Any]:
    """`{label: {precision, recall, f1, support}}`, JSON-able.

    Args:
        hits, support, answers: `(N, L)`: whether the label of the column is both, is true, was answered in the row.
        labels: the L names of the columns.
    """
    counts = [rows.sum(axis=0).astype(np.float64) for rows in (hits, support, answers)]
    columns = (*(values.tolist() for values in score(*counts)), support.sum(axis=0).tolist())
    return {
        label: {"precision": p, "recall": r, "f1": f, "support": count}
        for label, p, r, f, count in zip(labels, *columns, strict=True)
    }
