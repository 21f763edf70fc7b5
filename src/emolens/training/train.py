"""Trains by a recipe: dataset -> crops -> fit -> temperature -> run."""

import logging
from pathlib import Path

import lightning
import numpy as np
from torch.utils.data import DataLoader

from emolens.data.crops import load_crops
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.data.splits import hold_out
from emolens.evaluation.calibration import fit_temperature
from emolens.evaluation.metrics import compute_metrics
from emolens.labels import label_set
from emolens.runtime import softmax
from emolens.training.cards import describe
from emolens.training.classifier import Batch, ClassifierModule, CropDataset, predict_logits
from emolens.training.detection.train import train_detector
from emolens.training.distillation import load_teachers
from emolens.training.recipe import ClassifierRecipe, Recipe
from emolens.training.run import Run
from emolens.training.trainer import make_trainer, quiet_lightning

logger = logging.getLogger(__name__)


def train(recipe: Recipe, data: Path, out: Path, resume: bool = False) -> Run:
    """Trains whatever the recipe says; arguments and errors as of `train_classifier`."""
    if isinstance(recipe, ClassifierRecipe):
        return train_classifier(recipe, data, out, resume)
    return train_detector(recipe, data, out, resume)


def train_classifier(recipe: ClassifierRecipe, data: Path, out: Path, resume: bool = False) -> Run:
    """Trains, calibrates and measures on the held-out samples; leaves a finished run.

    Args:
        recipe: what to do.
        data: the dataset's file or folder.
        out: the run's directory.
        resume: go on from its last checkpoint.

    Raises:
        DataError: the data cannot be read.
        ConfigError: `out` holds another training, or none to resume.
    """
    labels = label_set(recipe.data.labels)
    dataset = read_dataset(recipe.data.dataset, data, recipe.data.split).project(labels)
    teachers = load_teachers(recipe.distillation, recipe) if recipe.distillation else None
    run = Run.start(out, recipe, resume)
    training, held_out = hold_out(dataset, recipe.data.validation, recipe.seed)
    logger.info("%d samples to train on, %d held out, left out: %s", len(training), len(held_out), dataset.left_out)
    train_loader, val_loader = _loader(training, recipe, True), _loader(held_out, recipe, False)

    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    module = ClassifierModule(recipe, len(labels), teachers)
    plan = recipe.optimisation
    with quiet_lightning():
        trainer = make_trainer(run, plan.epochs, plan.precision, plan.ema)
        trainer.fit(module, train_loader, val_loader, ckpt_path=run.checkpoint if resume else None, weights_only=True)

    logits = predict_logits(module, val_loader)
    temperature = fit_temperature(logits, held_out.targets)
    probabilities = softmax(logits / np.float32(temperature))
    decided = held_out.decided
    metrics = compute_metrics(probabilities[decided], held_out.targets[decided], labels)
    card = describe(recipe, temperature=round(temperature, 4), metrics={"held-out training rows": metrics})
    run.finish(module.network, card)
    return run


def _loader(dataset: Dataset, recipe: ClassifierRecipe, training: bool) -> DataLoader[Batch]:
    crops = load_crops(dataset, recipe.input, recipe.crop)
    weights = np.array([sample.weight for sample in dataset.samples], dtype=np.float32)
    return DataLoader(
        CropDataset(crops, dataset.targets, weights, recipe.augmentation if training else None),
        batch_size=recipe.optimisation.batch_size,
        shuffle=training,
        drop_last=training and len(dataset) > recipe.optimisation.batch_size,
        num_workers=1 if training else 0,
        persistent_workers=training,
    )
