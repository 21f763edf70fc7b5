"""The two sides of a training: samples to learn from, and held-out ones. No torch."""

import logging
from dataclasses import dataclass
from pathlib import Path

from emolens.data.balance import resampled
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.data.shards import read_manifest
from emolens.data.splits import hold_out
from emolens.errors import ConfigError, DataError
from emolens.labels import describe_projection
from emolens.training.plan import Plan

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """The two sides of a training: samples to learn from, and held-out ones."""

    training: Dataset
    held_out: Dataset


def read_parts(recipe: Plan, path: Path) -> Parts:
    """Reads the dataset, over the labels of the recipe, holds samples out, and balances the others.

    Raises:
        DataError: the data cannot be read, or one side is empty.
        ConfigError: the recipe's objective does not fit the dataset's targets.
    """
    plan = recipe.data
    if plan.dataset == "prepared":
        _check_prepared(recipe, path)
    whole = read_dataset(plan.dataset, path, plan.split, seed=recipe.seed)
    dataset = _projected(whole, recipe)
    if dataset.labels != whole.labels:
        logger.info("labels: %s", describe_projection(whole.labels, dataset.labels))
    if dataset.objective == "multilabel" and not recipe.gives_several:
        raise ConfigError(
            f"{path} has several labels per image; train a network with --set 'objective={{name: multilabel}}'"
        )
    if isinstance(plan.validation, str):
        other = read_dataset(plan.dataset, path, plan.validation, seed=recipe.seed)
        parts = Parts(dataset, _projected(other, recipe))
    else:
        parts = Parts(*hold_out(dataset, plan.validation, recipe.seed, plan.split_by))
    for part, what in ((parts.training, "to train on"), (parts.held_out, "held out")):
        if not part.samples:
            raise DataError(f"{path} leaves no sample {what}; check data.split and data.validation")
    return Parts(resampled(parts.training, recipe.balance, recipe.seed), parts.held_out)


def _check_prepared(recipe: Plan, path: Path) -> None:
    """Refuses crops that were cut for another recipe: the card would tell a predictor to cut them differently."""
    made = read_manifest(path)
    theirs, ours = (f"{one.input} with {one.crop}" for one in (made, recipe))
    if theirs != ours:
        raise ConfigError(f"{path} holds crops of {theirs}; this recipe takes {ours}; prepare them anew for it")


def _projected(dataset: Dataset, recipe: Plan) -> Dataset:
    return dataset if recipe.data.labels is None else dataset.project(recipe.labels)
