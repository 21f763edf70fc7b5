"""Recipes made complete by the data: labels and normalisation that a recipe leaves open."""

import numpy as np

from emolens.data.crops import cut_crops
from emolens.data.samples import Dataset
from emolens.errors import DataError
from emolens.training.recipe import ClassifierRecipe, Normalisation

# Of the 1.28 million photographs of ImageNet, as torchvision's and timm's weights want it.
_IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_LUMA = (0.299, 0.587, 0.114)
_ENOUGH = 5000


def resolve(recipe: ClassifierRecipe, training: Dataset) -> ClassifierRecipe:
    """The recipe with the labels of the dataset, and numbers where it names a normalisation."""
    data = recipe.data
    if data.labels is None:
        data = data.model_copy(update={"labels": training.labels})
    return recipe.model_copy(update={"data": data, "normalisation": _normalisation(recipe, training)})


def _normalisation(recipe: ClassifierRecipe, training: Dataset) -> Normalisation:
    if isinstance(recipe.normalisation, Normalisation):
        return recipe.normalisation
    if recipe.normalisation == "imagenet":
        if recipe.input.channels == 3:
            return _IMAGENET
        grey = (float(np.dot(_LUMA, values)) for values in (_IMAGENET.mean, _IMAGENET.std))
        mean, std = (round(value, 4) for value in grey)
        return Normalisation(mean=(mean,), std=(std,))
    return dataset_normalisation(recipe, training)


def dataset_normalisation(recipe: ClassifierRecipe, training: Dataset) -> Normalisation:
    """Mean and deviation over all pixels of the training samples' crops, of some thousands where there are more.

    Images that cannot be read are left out here, too; they are told when all crops are cut.

    Raises:
        DataError: none can be read.
    """
    some = np.random.default_rng(recipe.seed).permutation(len(training))[:_ENOUGH]
    sample = [training.samples[index] for index in sorted(some.tolist())]
    crops, unreadable = cut_crops(sample, recipe.input, recipe.crop)
    if not len(crops):
        raise DataError(f"{training.name}: no image can be read; the first one is {unreadable[0]}")
    pixels = crops.reshape(-1, recipe.input.channels) / 255
    mean, std = (tuple(round(float(value), 4) for value in values) for values in (pixels.mean(0), pixels.std(0)))
    return Normalisation(mean=mean, std=std)
