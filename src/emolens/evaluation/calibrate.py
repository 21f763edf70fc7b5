"""Calibrates a model file on a dataset: dataset -> logits -> calibration, thresholds, abstention -> card."""

import numpy as np
from numpy.typing import NDArray

from emolens.card import Abstention, Method, ModelCard
from emolens.data.samples import Dataset
from emolens.errors import ConfigError, DataError
from emolens.evaluation.abstention import choose_threshold
from emolens.evaluation.calibration import calibrate_card
from emolens.evaluation.cutting import cut_in_chunks
from emolens.evaluation.thresholds import tune_thresholds
from emolens.labels import canonical
from emolens.probability import calibrated
from emolens.runtime import OnnxModel

_FEWEST = 10


def calibrate(
    model: OnnxModel, dataset: Dataset, method: Method = "temperature", risk: float | None = None
) -> ModelCard:
    """Fits what makes a model's probabilities mean what they say; the network stays as it is.

    A `distribution` model is fitted to the targets as they are, votes or labels; where the dataset lacks some of its
    labels, a temperature is fitted over those that it has. A `multilabel` model gets the threshold of the best F1 for
    each label, too.

    Args:
        model: the model file.
        dataset: samples that the model has not learnt from.
        method: see `emolens.card.Calibration`.
        risk: the share of wrong answers that is accepted; answers that are less confident will be marked as unsure.

    Returns:
        The card for the calibrated model file.

    Raises:
        DataError: the samples are too few or of another objective, none has a label that the method needs, or no
            threshold keeps to the risk.
        ConfigError: a risk is asked of a multilabel model, or is no share.
    """
    card, several = model.card, model.card.objective == "multilabel"
    if risk is not None and (several or not 0 <= risk <= 1):
        raise ConfigError(
            f"--risk {risk:g}: a risk is a share, 0 to 1, of the wrong answers of a model with one answer; "
            "a multilabel model has thresholds instead"
        )
    if dataset.objective != card.objective:
        raise DataError(f"{card.name} is a {card.objective} model and {dataset.name} a {dataset.objective} dataset")
    answers = tuple(canonical(label) for label in card.labels)
    dataset, logits = _logits(model, dataset.project(answers))
    if len(dataset) < _FEWEST:
        raise DataError(f"{dataset.name} has {len(dataset)} samples of {card.name}'s labels; {_FEWEST} are the fewest")
    splits = ", ".join(sorted({sample.split for sample in dataset.samples}))
    fitted_on = f"{dataset.name} {splits}"
    fitted = calibrate_card(card, logits, dataset.targets, method, fitted_on)
    # What the card knew was measured with the former probabilities.
    former = {f"before the calibration on {fitted_on}: {name}": figures for name, figures in card.metrics.items()}
    fitted = fitted.model_copy(update={"metrics": former})
    probabilities = calibrated(logits, fitted)
    if several:
        thresholds = tune_thresholds(probabilities, dataset.targets, card.labels)
        return fitted.model_copy(update={"thresholds": thresholds})
    return fitted.model_copy(
        update={"abstention": None if risk is None else _abstain(dataset, probabilities, risk, fitted_on)}
    )


def _abstain(dataset: Dataset, probabilities: NDArray[np.float32], risk: float, fitted_on: str) -> Abstention:
    decided, right = dataset.decided, probabilities.argmax(axis=1) == dataset.targets.argmax(axis=1)
    point = choose_threshold(probabilities.max(axis=1)[decided], right[decided], risk)
    return Abstention(threshold=point.threshold, risk=point.risk, coverage=point.coverage, fitted_on=fitted_on)


def _logits(model: OnnxModel, dataset: Dataset) -> tuple[Dataset, NDArray[np.float32]]:
    """The samples that can be read, and `(N, L)`."""
    logits = [np.empty((0, len(model.card.labels)), np.float32)]
    unreadable: dict[int, str] = {}
    for _, cuts in cut_in_chunks(dataset.samples, model.framings):
        unreadable |= cuts.unreadable
        logits.append(model.logits(cuts.framed[0]))
    return dataset.without("unreadable_image", unreadable), np.concatenate(logits)
