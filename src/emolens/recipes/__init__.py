"""The recipes that emolens ships, one YAML file each."""

from pathlib import Path

from emolens.errors import ConfigError
from emolens.labels import did_you_mean

_FOLDER = Path(__file__).parent
_MOST_BYTES = 1 << 16


def recipe_names() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe_text(name: str) -> str:
    """The YAML text of one of `recipe_names()`, or of a file that ends in `.yaml`.

    Raises:
        ConfigError: there is no such recipe, or the file is no text of a recipe's size.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else _FOLDER / f"{name}.yaml"
    if path.parent == _FOLDER and name not in recipe_names():
        raise ConfigError(f"'{name}' is no recipe{did_you_mean(name, recipe_names())}; a file of yours ends in .yaml")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path} has more than {_MOST_BYTES:,} bytes; a recipe is a page of YAML")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise ConfigError(f"{path} cannot be read as a recipe: {reason}") from None
