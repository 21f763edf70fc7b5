"""The shipped recipes, by what they train."""

import yaml

from emolens.recipes import recipe_names, recipe_text


def recipes_of(*tasks: str) -> list[str]:
    """The names of those for any of these tasks."""
    return [name for name in recipe_names() if yaml.safe_load(recipe_text(name))["task"] in tasks]


NETWORKS = recipes_of("classify", "detect")
CLASSIC = recipes_of("classic")
