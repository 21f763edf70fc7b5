"""The recipes that emolens ships, one YAML file each."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def recipe_names() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe_text(name: str) -> str:
    """The YAML text of one of `recipe_names()`."""
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
