"""Parity: an export that does not answer as the network that it was made from is refused."""

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
    Format.onnx: Limits(0.02, 0.002, 0.95),  # its weights are float16
    Format.onnx_fp16: Limits(0.05, 0.005, 0.95),
    Format.onnx_int8: Limits(1.0, 0.02, 0.95),  # a few answers move much, most of them hardly
    Format.torchscript: Limits(0.001, 0.0001, 0.95),
}


def check_parity(form: Format, expected: Floats, found: Floats, threshold: float | None = None) -> Parity:
    """Compares what an export answers with what the trained network does.

    Args:
        form: of the export; `LIMITS` says how much it may change.
        expected: probabilities by the network, `(N, L)`, or `(N, P)` of a face at each of P places.
        found: the same by the export.
        threshold: from which probability on there is a face; None where columns are labels.

    Raises:
        ModelError: it answers too differently to stand for the network.
    """
    difference = np.abs(expected - found)
    if threshold is None:
        same = expected.argmax(axis=1) == found.argmax(axis=1)
    else:
        same = (expected >= threshold) == (found >= threshold)
    most, mean, agreement = float(difference.max()), float(difference.mean()), float(same.mean())
    limits = LIMITS[form]
    # Comparisons that NaN fails, too.
    if not (most <= limits.most and mean <= limits.mean and agreement >= limits.agreement):
        other = " or write --format onnx" if form != Format.onnx else ""
        raise ModelError(
            f"the {form} file does not answer as the trained network: over {len(expected)} crops probabilities differ "
            f"by {mean:.2g} on average and {most:.2g} at most, and {agreement:.0%} of the decisions agree; train it "
            f"longer, as a network that is hardly trained decides by chance{other}"
        )
    return Parity(
        form=form.value,
        crops=len(expected),
        max_difference=round(most, 5),
        mean_difference=round(mean, 6),
        agreement=round(agreement, 4),
    )
