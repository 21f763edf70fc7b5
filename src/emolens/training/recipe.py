"""Recipes: one YAML file says data, network, augmentation, optimiser and schedule; `--set` changes a value."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emolens.card import Crop, Input
from emolens.data.balance import Balance
from emolens.data.splits import SplitBy
from emolens.data.transforms import Augmentation
from emolens.errors import ConfigError
from emolens.labels import did_you_mean, label_set
from emolens.networks.build import NetworkChoice
from emolens.recipes import recipe_text
from emolens.training.detection.recipe import DetectorRecipe
from emolens.training.objective import Distribution, Objective
from emolens.training.optimisation import Optimisation


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """What is trained on.

    Attributes:
        dataset: the reader's name.
        split: the dataset's own name of the split to train on; None takes all of it.
        validation: what is held out for early looks and the temperature: a share of the split, drawn by `seed`, or the
            dataset's own name of another split.
        split_by: whether a share is drawn by `image`, so that copies of an image stay on one side, or by `row`, as many
            published systems do it, whose figures then flatter.
        labels: the label set that the targets are projected to; None keeps the dataset's own labels.
        sources: the data and its terms, for the model card.
    """

    dataset: str
    split: str | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] | str = 0.1
    split_by: SplitBy = "image"
    labels: str | tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()


# A card may hold keys of a later version; in a recipe an unknown key is a mistake.
class _Input(Input):
    model_config = ConfigDict(extra="forbid")


class _Crop(Crop):
    model_config = ConfigDict(extra="forbid")


class Normalisation(_Part):
    """Per channel, of pixels in 0 to 1; a recipe may write `imagenet`, or `dataset` for what is trained on."""

    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0)], ...]


class Distillation(_Part):
    """Learning from the answers of larger networks, beside the targets (Hinton et al., 2015).

    Attributes:
        teachers: finished runs over the same labels and input; their calibrated probabilities are averaged.
        share: how much of the target they are.
    """

    teachers: Annotated[tuple[Path, ...], Field(min_length=1)]
    share: float = Field(0.5, gt=0, le=1)


class ClassifierRecipe(_Part):
    """Everything that a classifier's training depends on but the data's path.

    Attributes:
        monitor: the held-out figure by which an epoch is the best, for `patience` and the `plateau` schedule.
    """

    task: Literal["classify"] = "classify"
    name: str
    kind: Literal["face", "scene", "emoji", "generic"]
    version: str
    licence: str
    limits: tuple[str, ...] = ()
    data: Data
    input: _Input
    crop: _Crop = _Crop()
    normalisation: Normalisation | Literal["imagenet", "dataset"]
    network: NetworkChoice
    objective: Objective = Distribution()
    balance: Balance = "none"
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    distillation: Distillation | None = None
    seed: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the network's outputs; a recipe that leaves them to the dataset must have been resolved."""
        assert self.data.labels is not None
        return label_set(self.data.labels) if isinstance(self.data.labels, str) else self.data.labels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the crops."""
        assert self.input.height
        assert self.input.width
        return self.input.height, self.input.width

    @property
    def pixels(self) -> Normalisation:
        """The normalisation in numbers; a recipe that names one must have been resolved."""
        assert isinstance(self.normalisation, Normalisation)
        return self.normalisation

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.input.height is None or self.input.width is None:
            raise ValueError("input needs a height and a width")
        given = self.normalisation
        if isinstance(given, Normalisation) and {len(given.mean), len(given.std)} != {self.input.channels}:
            raise ValueError(f"normalisation needs one mean and one std for each of {self.input.channels} channels")
        return self


Recipe = ClassifierRecipe | DetectorRecipe
_TASKS: dict[str, type[ClassifierRecipe] | type[DetectorRecipe]] = {
    "classify": ClassifierRecipe,
    "detect": DetectorRecipe,
}


def load_recipe(name: str, settings: Iterable[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        name: of a shipped one, or a file that ends in `.yaml`.
        settings: changes such as `optimisation.epochs=3`; the value is YAML.

    Raises:
        ConfigError: there is no such recipe, a key is unknown, or a value is out of range.
    """
    try:
        content = yaml.safe_load(recipe_text(name))
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    for setting in settings if isinstance(content, dict) else ():
        _apply(content, setting)
    return parse_recipe(content, name)


def parse_recipe(content: Any, source: str) -> Recipe:
    """Checks what a recipe file says, as `load_recipe` does."""
    task = content.get("task") if isinstance(content, dict) else None
    if not isinstance(task, str) or task not in _TASKS:
        raise ConfigError(f"{source}: task is {task!r}; it must be one of {', '.join(_TASKS)}")
    try:
        return _TASKS[task].model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{source}: {_explain(fault, _TASKS[task])}" for fault in error.errors())) from None


def _apply(content: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set {setting}: write KEY=VALUE, as in --set optimisation.epochs=3")
    *parents, last = key.split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"--set {setting}: '{parent}' has no keys of its own")
    try:
        place[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {setting}: '{value}' is no YAML value") from None


def _explain(fault: Any, model: type[BaseModel]) -> str:
    steps = [str(step) for step in fault["loc"]]
    place = ".".join(steps)
    if fault["type"] != "extra_forbidden":
        message = fault["msg"].removeprefix("Value error, ")
        return f"{place}: {message}" if place else message
    models: list[type[BaseModel]] = [model]
    for parent in steps[:-1]:
        parts = [one.model_fields[parent].annotation for one in models if parent in one.model_fields]
        models = [inner for part in parts for inner in _models_in(part)] or models
    known = dict.fromkeys(name for one in models for name in one.model_fields if name != steps[-1])
    return f"'{place}' is no key of a recipe{did_you_mean(steps[-1], known)}"


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """What a key may hold, whatever stands around it: alternatives, None, a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
