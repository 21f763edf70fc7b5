"""What the figures mean, and how they are written."""

from collections.abc import Mapping
from typing import Any

from emolens.evaluation.names import NAMES

_SHARES = {
    "accuracy": "the likeliest label is the true one",
    "top2_accuracy": "the true label is among the two likeliest",
    "top3_accuracy": "the true label is among the three likeliest",
    "subset_accuracy": "every label of a sample is right",
    "mean_average_precision": "over the labels that are there",
    "macro_precision": "mean over all labels alike",
    "macro_recall": "mean over all labels alike",
    "macro_f1": "mean over all labels alike",
    "micro_f1": "over all decisions alike",
    "weighted_f1": "mean over labels by their samples",
}
_DISTANCES = {
    "nll": "mean cross-entropy against the target, in nats",
    "brier": "squared distance from the target, 0 to 2",
    "ece": "how far confidence is from being right, on average",
    "adaptive_ece": "the same over bins with as many samples each",
    "vote_ece": "how far confidence is from the share of votes for the answer",
    "kl": "of the prediction from the votes, in nats",
    "jensen_shannon": "of the prediction and the votes, in nats",
    "cosine_similarity": "of the prediction and the votes, 1 where they are alike",
    "chebyshev": "the largest distance from the votes at any label",
}


def share(value: float) -> str:
    """`84.0 %`, which is never broken over two lines."""
    return f"{100 * value:.1f}\u00a0%"


def plain(value: float | None) -> str:
    """`0.514`; a dash for what is not defined."""
    return "–" if value is None else f"{value:.3f}"


def summary(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each figure: `name, meaning, value, interval`; the last one is empty where none was computed.

    Micro F1 is left away where it is the accuracy.
    """
    rows = []
    for group, write in ((_SHARES, share), (_DISTANCES, plain)):
        for key, meaning in group.items():
            if key in metrics and not (key == "micro_f1" and metrics[key] == metrics.get("accuracy")):
                ends = metrics.get("intervals", {}).get(key)
                interval = f"{write(ends[0])} to {write(ends[1])}" if ends else ""
                rows.append(
                    {"name": NAMES[key], "meaning": meaning, "value": write(metrics[key]), "interval": interval}
                )
    return rows
