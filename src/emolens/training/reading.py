"""How a recipe's file is read: YAML, changed by settings, checked; what is wrong is said in words. No torch."""

from collections.abc import Iterable
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from emolens.errors import ConfigError
from emolens.labels import did_you_mean
from emolens.recipes import recipe_text

TASKS = ("classify", "detect", "classic")

Recipe = TypeVar("Recipe", bound=BaseModel)


def read_content(name: str, settings: Iterable[str] = ()) -> Any:
    """What a recipe's file says, unchecked.

    Args:
        name: of a shipped one, or a file that ends in `.yaml`.
        settings: changes such as `optimisation.epochs=3`; the value is YAML.

    Raises:
        ConfigError: there is no such recipe, it is no YAML, or a setting has no place in it.
    """
    try:
        content = yaml.safe_load(recipe_text(name))
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    for setting in settings if isinstance(content, dict) else ():
        _apply(content, setting)
    return content


def task_of(content: Any, source: str) -> str:
    """Of `TASKS`, the one that a recipe is for.

    Raises:
        ConfigError: it names none of them.
    """
    task = content.get("task") if isinstance(content, dict) else None
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(f"{source}: task is {task!r}; it must be one of {', '.join(TASKS)}")
    return task


def checked(content: Any, model: type[Recipe], source: str) -> Recipe:
    """The recipe that the content of a file makes.

    Raises:
        ConfigError: a key is unknown, or a value is out of range; every fault in a line.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{source}: {_explain(fault, model)}" for fault in error.errors())) from None


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
