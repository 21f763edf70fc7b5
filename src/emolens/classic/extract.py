"""Features of a dataset: its crops are cut, and a step makes a vector of each."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from emolens.classic.cache import cached
from emolens.classic.recipe import ClassicRecipe
from emolens.classic.steps import Opened
from emolens.data.samples import Dataset
from emolens.evaluation.cutting import cut_in_chunks
from emolens.features.base import FeatureStep


def with_memory(opened: Opened) -> AbstractContextManager[FeatureStep]:
    """The step, which remembers what it has made (`cached`) if a model makes it, since that takes long."""
    return nullcontext(opened.step) if opened.file is None else cached(opened.step, opened.features)


def make_features(dataset: Dataset, recipe: ClassicRecipe, step: FeatureStep) -> tuple[Dataset, NDArray[np.float32]]:
    """The samples that have a single top label and can be read, and `(N, F)`, NaN where nothing was found.

    Crops are in memory only for as long as it takes.
    """
    dataset = dataset.without_ties()
    features = np.empty((len(dataset), step.size), np.float32)
    unreadable: dict[int, str] = {}
    filled = 0
    for _, cuts in cut_in_chunks(dataset.samples, [(recipe.crop, recipe.input)]):
        crops = cuts.framed[0]
        unreadable |= cuts.unreadable
        features[filled : filled + len(crops)] = step(crops)
        filled += len(crops)
    return dataset.without("unreadable_image", unreadable), features[:filled]
