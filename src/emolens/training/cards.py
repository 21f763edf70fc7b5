"""The model card of what a recipe trains."""

from datetime import UTC, datetime
from typing import Any

from emolens import __version__
from emolens.card import Input, ModelCard
from emolens.training.objective import Multilabel
from emolens.training.recipe import ClassifierRecipe, NetworkRecipe


def describe(recipe: NetworkRecipe, **learnt: Any) -> ModelCard:
    """The card of a network trained by this recipe.

    Args:
        recipe: says what it is, what it was trained on, and its limits.
        **learnt: what only the training could tell: `temperature` or `threshold`, and `metrics`.
    """
    what: dict[str, Any] = {
        "kind": "detector",
        "labels": ("face",),
        "objective": "detection",
        "input": Input(height=None, width=None, channels=3),
    }
    if isinstance(recipe, ClassifierRecipe):
        what = {
            "kind": recipe.kind,
            "labels": recipe.labels,
            "objective": recipe.objective.name,
            "input": recipe.input,
            "crop": recipe.crop,
        }
        if isinstance(recipe.objective, Multilabel):
            what["threshold"] = recipe.objective.threshold
    return ModelCard(
        name=recipe.name,
        version=recipe.version,
        trained_on=recipe.data.sources,
        limits=recipe.limits,
        licence=recipe.licence,
        created=datetime.now(UTC).date().isoformat(),
        emolens_version=__version__,
        **what,
        **learnt,
    )
