"""Recipes: what they say, what may be changed, and what is refused."""

import re

import pytest

from emolens.errors import ConfigError
from emolens.training.recipe import ClassifierRecipe, load_recipe
from recipe_lists import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_every_shipped_recipe_is_valid_and_named_as_its_file(name: str) -> None:
    assert load_recipe(name).name == name


def test_the_shipped_recipes_are_those_of_the_embedded_models() -> None:
    assert {"face", "detector"} <= set(NETWORKS)


def test_a_setting_changes_one_value_and_leaves_the_rest() -> None:
    plain, changed = load_recipe("face"), load_recipe("face", ["optimisation.epochs=3", "augmentation.flip=0.25"])
    assert isinstance(plain, ClassifierRecipe)
    assert isinstance(changed, ClassifierRecipe)
    assert (changed.optimisation.epochs, changed.augmentation.flip) == (3, 0.25)
    assert changed.data == plain.data


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("fase", "seed=1", "did you mean 'face'"),
        ("face", "optimisation.epoch=3", "'optimisation.epoch' is no key of a recipe; did you mean 'epochs'?"),
        ("face", "sed=3", "'sed' is no key of a recipe; did you mean 'seed'?"),
        ("face", "optimisation.epochs=none", "optimisation.epochs"),
        ("face", "optimisation.epochs=0", "greater than 0"),
        ("face", "normalisation.std=[0]", "greater than 0"),
        ("face", "normalisation.mean=[0.5, 0.5, 0.5]", "one mean and one std for each of 1 channels"),
        ("face", "input.height=null", "input needs a height and a width"),
        ("face", "network.blocks=0", "greater than or equal to 1"),
        ("face", "optimisation.epochs", "KEY=VALUE"),
        ("face", "seed.deeper=1", "'seed' has no keys of its own"),
        ("face", "seed=[1", "no YAML value"),
        ("face", "network={name: face_resnet, widths: [32]}", "1 widths and 4 blocks"),
        ("face", "crop.margn=0.2", "'crop.margn' is no key of a recipe; did you mean 'margin'?"),
        ("face", "input.size=64", "'input.size' is no key of a recipe"),
        ("face", "task=[classify]", "task is ['classify']; it must be one of classify, detect, classic"),
        ("face", "task=dance", "task is 'dance'; it must be one of classify, detect, classic"),
    ],
)
def test_a_wrong_recipe_or_setting_is_refused_in_words(name: str, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_recipe(name, [setting])
