"""Parity: an export that does not answer as the network that it was made from is refused."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolens.card import Parity
from emolens.errors import ModelError
from emolens.export.formats import Format

Floats = NDArray[np.float32]


class Limits(NamedTuple):
    """The largest difference of any probability, the mean of all, and the least agreement."""

    most: float
    mean: float
    agreement: float


LIMITS = {
    Format.onnx: Limits(0.001, 0.0001, 0.95),
    Format.onnx_fp16: Limits(0.05, 0.005, 0.95),
    Format.onnx_int8: Limits(1.0, 0.02, 0.95),  # a few answers move much, most of them hardly
    Format.torchscript: Limits(0.001, 0.0001, 0.95),
}


def check_parity(
    form: Format, expected: Floats, found: Floats, thresholds: Sequence[float] | None = None, crops: int | None = None
) -> Parity:
    """Compares what an export answers with what the trained network does.

    Args:
        form: of the export; `LIMITS` says how much it may change.
        expected: probabilities by the network, `(N, L)`.
        found: the same by the export.
        thresholds: `(L,)`: a column at or over its own is decided for; None where the likeliest is.
        crops: how many pictures the N rows are of; one each, if not given.

    Raises:
        ModelError: it answers too differently to stand for the network.
    """
    if not (np.isfinite(expected).all() and np.isfinite(found).all()):
        raise ModelError(
            f"the {form} file or the network answers with NaN or infinity: values overflow; write --format onnx, or "
            "train with a lower learning rate"
        )
    difference = np.abs(expected - found)
    count = crops or len(expected)
    most, mean = float(difference.max()), float(difference.mean())
    agreement = share_decided_alike(expected, found, thresholds)
    limits = LIMITS[form]
    if most > limits.most or mean > limits.mean or agreement < limits.agreement:
        other = " or write --format onnx" if form != Format.onnx else ""
        raise ModelError(
            f"the {form} file does not answer as the trained network: over {count} crops probabilities differ by "
            f"{mean:.2g} on average and {most:.2g} at most, and {agreement:.0%} of the decisions agree; train it "
            f"longer, as a network that is hardly trained decides by chance{other}"
        )
    return Parity(
        form=form.value,
        crops=count,
        max_difference=round(most, 5),
        mean_difference=round(mean, 6),
        agreement=round(agreement, 4),
    )


def share_decided_alike(expected: Floats, found: Floats, thresholds: Sequence[float] | None = None) -> float:
    """The share of rows of which both make the same; the arguments are those of `check_parity`."""
    if thresholds is None:
        return float((expected.argmax(axis=1) == found.argmax(axis=1)).mean())
    least = np.asarray(thresholds, np.float32)
    return float(((expected >= least) == (found >= least)).all(axis=1).mean())
