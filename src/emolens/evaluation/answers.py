"""A classifier's answers to the samples of a dataset."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emolens.classifier import Classifier
from emolens.data.samples import Dataset
from emolens.detect.base import Detector
from emolens.evaluation.cutting import cut_in_chunks
from emolens.evaluation.traits import crop_traits


@dataclass(frozen=True)
class Answers:
    """What a classifier says of a dataset.

    Attributes:
        dataset: the samples that can be read; with a detector, with the boxes that it found.
        answered: `(N,)` bool: whose face was found, by the detector and by the model's feature step.
        probabilities: `(A, L)` float32 over the classifier's labels, a row for each that is answered.
        traits: `(N, 4)` float32, see `find_slices`.
    """

    dataset: Dataset
    answered: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    traits: NDArray[np.float32]


def predict_dataset(model: Classifier, dataset: Dataset, detector: Detector | None = None) -> Answers:
    """Decodes, crops and predicts every sample; `cut` says how a detector finds faces.

    Raises:
        ModelError: the model fails.
    """
    samples = list(dataset.samples)
    answered, traits = np.zeros(len(samples), bool), np.full((len(samples), 4), np.nan, np.float32)
    probabilities = [np.empty((0, len(model.card.labels)), np.float32)]
    unreadable: dict[int, str] = {}
    for place, cuts in cut_in_chunks(samples, model.framings, detector):
        unreadable |= cuts.unreadable
        answered[place], traits[place, 3] = cuts.answered, cuts.sizes
        traits[place][cuts.answered, :3] = crop_traits(cuts.framed[0])
        if detector is not None:
            samples[place] = [
                replace(sample, box=box or sample.box) for sample, box in zip(samples[place], cuts.boxes, strict=True)
            ]
        given = model.classify(cuts.framed)
        if model.card.features is not None:
            knows = np.ptp(given, axis=1) > 0  # even where the step finds nothing
            answered[place][cuts.answered] = knows
            given = given[knows]
        probabilities.append(given)
    readable = [index not in unreadable for index in range(len(samples))]
    read = replace(dataset, samples=tuple(samples)).without("unreadable_image", unreadable)
    return Answers(read, answered[readable], np.concatenate(probabilities), traits[readable])
