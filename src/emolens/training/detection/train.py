"""Trains the detector by its recipe: photographs -> crops -> fit -> threshold -> run."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader

from emolens.card import ModelCard
from emolens.data.readers.faces import read_face_photos
from emolens.training import processes
from emolens.training.cards import describe
from emolens.training.data import training_workers
from emolens.training.detection.augment import Scene, SceneMaker
from emolens.training.detection.measure import Matches
from emolens.training.detection.module import DetectorModule, SceneDataset, collate, search, summary
from emolens.training.detection.recipe import DetectorRecipe
from emolens.training.order import Order
from emolens.training.run import Run
from emolens.training.trackers import Trackers
from emolens.training.trainer import fit

logger = logging.getLogger(__name__)

_EXAMPLES = 16


def train_detector(recipe: DetectorRecipe, data: Path, out: Path, trackers: Trackers, resume: bool = False) -> Run:
    """Trains, chooses the score threshold on the validation photographs; leaves a finished run.

    Args:
        recipe: what to do.
        data: the table of photographs.
        out: the run's directory.
        trackers: learn of the recipe and the curves.
        resume: go on from its last checkpoint.

    Raises:
        DataError: the data cannot be read.
        ConfigError: `out` holds another training, or none to resume.
    """
    training = [Scene.of(photo) for photo in read_face_photos(data, recipe.data.split)]
    validation = [Scene.of(photo) for photo in read_face_photos(data, recipe.data.validation)]
    run = Run.start(out, recipe, resume)
    trackers.start(run, resume)
    maker = SceneMaker(training, recipe.augmentation)
    if processes.rank() == 0:
        some = range(min(_EXAMPLES, len(training)))
        run.keep_crops(np.stack([maker.make(index, np.random.default_rng(index)).pixels for index in some]))
    logger.info("%d photographs to train on, %d to validate", len(training), len(validation))
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    loader = DataLoader(
        SceneDataset(maker),
        batch_sampler=Order(len(training), recipe.optimisation.batch_size, recipe.seed),
        collate_fn=collate,
        **training_workers(recipe.optimisation),
    )
    module = DetectorModule(recipe)
    val_loader: DataLoader[Any] = DataLoader(validation, batch_size=None, collate_fn=_as_it_is)  # type: ignore[arg-type]
    fit(module, loader, val_loader, run, trackers.loggers, resume)
    if processes.rank() == 0:
        run.finish(module.network, make_detector_card(recipe, module, validation))
    return run


def make_detector_card(recipe: DetectorRecipe, module: DetectorModule, validation: Sequence[Scene]) -> ModelCard:
    """The card of a network as it is now, with the threshold and the figures of the validation photographs."""
    module.eval()
    with torch.inference_mode():
        figures = summary(Matches.joined([search(module, scene) for scene in validation]), recipe.false_boxes)
    metrics = {"validation photographs": {name: round(value, 4) for name, value in figures.items()}}
    return describe(recipe, threshold=round(figures["threshold"], 3), metrics=metrics)


def _as_it_is(scene: Scene) -> Scene:
    return scene
