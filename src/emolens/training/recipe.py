"""Recipes: one YAML file says data, network, augmentation, optimiser and schedule; `--set` changes a value."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emolens.data.transforms import Augmentation
from emolens.errors import ConfigError
from emolens.networks.build import NetworkChoice
from emolens.training.detection.recipe import DetectorRecipe
from emolens.training.objective import Distribution, Objective
from emolens.training.optimisation import Optimisation
from emolens.training.plan import Part, Plan
from emolens.training.reading import checked, read_content, task_of


class Normalisation(Part):
    """Per channel, of pixels in 0 to 1; a recipe may write `imagenet`, or `dataset` for what is trained on."""

    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0)], ...]


class Distillation(Part):
    """Learning from the answers of larger networks, beside the targets (Hinton et al., 2015).

    Attributes:
        teachers: finished runs over the same labels and input; their calibrated probabilities are averaged.
        share: how much of the target they are.
    """

    teachers: Annotated[tuple[Path, ...], Field(min_length=1)]
    share: float = Field(0.5, gt=0, le=1)


class ClassifierRecipe(Plan):
    """Everything that the training of a network depends on but the data's path.

    Attributes:
        monitor: the held-out figure by which an epoch is the best, for `patience` and the `plateau` schedule.
    """

    task: Literal["classify"] = "classify"
    normalisation: Normalisation | Literal["imagenet", "dataset"]
    network: NetworkChoice
    objective: Objective = Distribution()
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    distillation: Distillation | None = None

    @property
    def gives_several(self) -> bool:
        return self.objective.name == "multilabel"

    @property
    def pixels(self) -> Normalisation:
        """The normalisation in numbers; a recipe that names one must have been resolved."""
        assert isinstance(self.normalisation, Normalisation)
        return self.normalisation

    @model_validator(mode="after")
    def _normalisation_fits(self) -> Self:
        given = self.normalisation
        if isinstance(given, Normalisation) and {len(given.mean), len(given.std)} != {self.input.channels}:
            raise ValueError(f"normalisation needs one mean and one std for each of {self.input.channels} channels")
        return self


NetworkRecipe = ClassifierRecipe | DetectorRecipe
_NETWORKS: dict[str, type[ClassifierRecipe] | type[DetectorRecipe]] = {
    "classify": ClassifierRecipe,
    "detect": DetectorRecipe,
}


def load_recipe(name: str, settings: Iterable[str] = ()) -> NetworkRecipe:
    """Reads the recipe of a network, as `read_content` and `checked` do.

    Raises:
        ConfigError: there is no such recipe, a key is unknown, or a value is out of range.
    """
    return parse_recipe(read_content(name, settings), name)


def parse_recipe(content: Any, source: str) -> NetworkRecipe:
    """Checks what a recipe file says, as `load_recipe` does."""
    task = task_of(content, source)
    if task not in _NETWORKS:
        raise ConfigError(f"{source} is the recipe of a classic system, which has no network")
    return checked(content, _NETWORKS[task], source)
