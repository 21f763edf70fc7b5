"""Trains by a recipe: dataset -> crops -> fit -> temperature -> run."""

import logging
from contextlib import nullcontext
from pathlib import Path

import lightning
import numpy as np
from numpy.typing import NDArray

from emolens.card import ModelCard
from emolens.data.samples import Dataset
from emolens.errors import DataError
from emolens.evaluation.calibration import calibrate_card
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.evaluation.slices import slice_metrics
from emolens.probability import calibrated
from emolens.training import processes
from emolens.training.cards import describe
from emolens.training.classifier import ClassifierModule, label_weights_for, predict_logits
from emolens.training.data import CropDataset, held_out_loader, training_loader
from emolens.training.detection.train import train_detector
from emolens.training.distillation import load_teachers
from emolens.training.parts import read_parts
from emolens.training.recipe import ClassifierRecipe, NetworkRecipe
from emolens.training.resolve import resolve
from emolens.training.run import Run
from emolens.training.trackers import Trackers
from emolens.training.trainer import fit

logger = logging.getLogger(__name__)

_HELD_OUT = "held-out training rows"


def train(
    recipe: NetworkRecipe,
    data: Path,
    out: Path,
    resume: bool = False,
    strict: bool = False,
    trackers: Trackers | None = None,
) -> Run:
    """Trains whatever network the recipe says; arguments and errors as of `train_classifier`.

    Without `trackers` the curves go to TensorBoard's files in `out/logs`.
    """
    with nullcontext(trackers) if trackers else Trackers() as told:
        if isinstance(recipe, ClassifierRecipe):
            return train_classifier(recipe, data, out, told, resume, strict)
        return train_detector(recipe, data, out, told, resume)


def train_classifier(
    recipe: ClassifierRecipe, data: Path, out: Path, trackers: Trackers, resume: bool = False, strict: bool = False
) -> Run:
    """Trains, calibrates and measures on the held-out samples; leaves a finished run.

    Args:
        recipe: what to do.
        data: the dataset's file or folder.
        out: the run's directory.
        trackers: learn of the recipe, the curves and the confusion matrix.
        resume: go on from its last checkpoint.
        strict: refuse data with faults instead of leaving them out.

    Raises:
        DataError: the data cannot be read, or there are faults, and `strict`.
        ConfigError: `out` holds another training, or none to resume; the recipe does not fit the data; or a tracker
            cannot be reached.
    """
    parts = read_parts(recipe, data)
    recipe = resolve(recipe, parts.training)
    teachers = load_teachers(recipe.distillation, recipe) if recipe.distillation else None
    run = Run.start(out, recipe, resume)
    trackers.start(run, resume)
    training, held_out = CropDataset(parts.training, recipe), CropDataset(parts.held_out, recipe)
    _report(training.dataset, held_out.dataset, strict)
    if processes.rank() == 0:
        run.keep_crops(training.examples())

    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = recipe.network.build(len(recipe.labels), recipe.input.channels, recipe.size)
    if not resume:
        recipe.network.initialise(network, recipe.labels)
    module = ClassifierModule(recipe, network, label_weights_for(recipe, training.dataset.targets), teachers)
    batches, looks = training_loader(training, recipe), held_out_loader(held_out, recipe, shared=True)
    fit(module, batches, looks, run, trackers.loggers, resume)

    if processes.rank() == 0:
        logits = predict_logits(module, held_out_loader(held_out, recipe))
        card = _measured(describe(recipe), logits, held_out)
        run.finish(module.network, card)
        for measured in card.metrics.values():
            if "confusion" in measured:
                trackers.add_confusion(measured["confusion"], recipe.labels)
    return run


def _report(training: Dataset, held_out: Dataset, strict: bool) -> None:
    """Says what is there and what was left out; the two sides share what the reader left out."""
    logger.info("%d samples to train on, %d held out, left out: %s", len(training), len(held_out), training.left_out)
    for part in (training, held_out):
        if strict:
            part.check_faultless()
        if not part.samples:
            raise DataError(f"no image can be read\n{part.fault_report}")
        if len(part) < processes.count():
            raise DataError(f"{len(part)} samples are too few for {processes.count()} processes; start fewer of them")
    for report in dict.fromkeys(part.fault_report for part in (training, held_out) if part.faults):
        logger.warning("%s", report)


def _measured(card: ModelCard, logits: NDArray[np.float32], held_out: CropDataset) -> ModelCard:
    """The card with a temperature, and with the figures under the name of what they were measured on."""
    targets, decided = held_out.dataset.targets, held_out.dataset.decided
    if card.objective == "multilabel":
        thresholds = [card.threshold_of(label) for label in card.labels]
        metrics = compute_multilabel_metrics(calibrated(logits, card), targets, card.labels, thresholds)
        return card.model_copy(update={"metrics": {_HELD_OUT: metrics}})
    card = calibrate_card(card, logits, targets, "temperature", _HELD_OUT)
    if not decided.any():
        return card
    probabilities = calibrated(logits, card)[decided]
    metrics = compute_metrics(probabilities, targets[decided], card.labels)
    if held_out.crops is not None:
        metrics["slices"] = slice_metrics(probabilities, targets[decided], card.labels, held_out.crops[decided])
    return card.model_copy(update={"metrics": {_HELD_OUT: metrics}})
