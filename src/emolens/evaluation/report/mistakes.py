"""The mistakes of which the model was the most certain, as pictures."""

import base64
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emolens.card import Crop, Input
from emolens.data.crops import decode_sample
from emolens.data.samples import Dataset, Sample
from emolens.errors import ImageError
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.single_label import SingleLabel
from emolens.image import crop_face

MOST = 24

_SIDE = 128
_MOST_VOTES = 3


class Mistake(NamedTuple):
    """One of them.

    Attributes:
        name: of the sample.
        picture: a data URI; None where the image can no longer be read.
        true: what is right, with the votes where there are votes.
        predicted: what was answered.
        confidence: the probability that the model gave its answer.
    """

    name: str
    picture: str | None
    true: str
    predicted: str
    confidence: float


def wrong_answers(dataset: Dataset, one: SingleLabel) -> list[Mistake]:
    """Where one label is right: answers that are another one, the most confident first."""
    confidence = one.predicted.max(axis=1)
    wrong = np.flatnonzero(one.answered & (one.answer != one.truth))
    return [
        Mistake(
            dataset.samples[row].name,
            _picture(dataset.samples[row]),
            _in_words(one.target[row], dataset.labels),
            dataset.labels[one.answer[row]],
            float(confidence[row]),
        )
        for row in wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    ]


def wrong_presences(dataset: Dataset, predicted: NDArray[np.float32], several: MultiLabel) -> list[Mistake]:
    """Where several labels may hold: of each sample the label that is the most confidently wrong."""
    confidence = np.where(several.answers, predicted, 1 - predicted) * (several.answers != several.support)
    column, most = confidence.argmax(axis=1), confidence.max(axis=1)
    rows = np.argsort(-most, kind="stable")
    return [
        Mistake(
            dataset.samples[row].name,
            _picture(dataset.samples[row]),
            ", ".join(np.array(dataset.labels)[several.support[row]]) or "none",
            f"{'' if several.answers[row, column[row]] else 'not '}{dataset.labels[column[row]]}",
            float(most[row]),
        )
        for row in rows[most[rows] > 0][:MOST]
    ]


def _in_words(target: NDArray[np.float64], labels: tuple[str, ...]) -> str:
    """`happy`, or `happy 60 %, neutral 40 %`."""
    named = [(labels[column], target[column]) for column in np.argsort(-target, kind="stable") if target[column] > 0]
    if len(named) == 1:
        return str(named[0][0])
    return ", ".join(f"{label} {100 * share:.0f}\u00a0%" for label, share in named[:_MOST_VOTES])


def _picture(sample: Sample) -> str | None:
    """The face, or the whole picture where there is no box; encoded anew, so that only pixels are left of the file."""
    try:
        pixels = decode_sample(sample).pixels
    except ImageError:
        return None
    if sample.box is not None:
        pixels = crop_face(pixels, sample.box, Crop(), Input(height=_SIDE, width=_SIDE, channels=3))
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
