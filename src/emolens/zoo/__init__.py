"""Names of models -> their files: embedded, pulled on request, on the Hugging Face hub, or the user's own."""

import os
from pathlib import Path

from emolens import settings
from emolens.card import ModelCard
from emolens.errors import ModelError
from emolens.labels import did_you_mean
from emolens.session import metadata_of
from emolens.zoo import hub
from emolens.zoo.entries import Entry, cache_folder, entries, entry, fetch, pull

__all__ = ["Entry", "cache_folder", "card_of", "embedded", "entries", "entry", "fetch", "find", "names", "own", "pull"]

_ASSETS = Path(__file__).parent.with_name("assets")


def find(name: str | os.PathLike[str]) -> Path:
    """The model file that a name, a path or an address on the hub stands for.

    A relative path that is not in the working directory is looked up in the folder of pulled models and in
    `EMOLENS_RUNS`. Only what begins with `hf://` is downloaded.

    Raises:
        ModelError: there is no such model, it has not been pulled yet, is not the file that it should be, or none that
            emolens can run.
        MissingExtraError: the hub needs the extra `hub`.
    """
    name = os.fspath(name)
    if name.startswith(hub.SCHEME):
        return hub.fetch(name)
    if Path(name).is_file():
        return Path(name)
    if name in embedded():
        return embedded()[name]
    if name in entries():
        return _runnable(entries()[name])
    if name in own():
        return own()[name]
    places = _elsewhere(name)
    for place in places:
        if place.is_file():
            return place
    if Path(name).suffix or os.sep in name:
        nowhere = ", nor at ".join([name, *map(str, places)])
        raise ModelError(f"no model file at {nowhere}; `emolens models list` names those that have a name")
    raise ModelError(f"'{name}' is neither a model nor a file{did_you_mean(name, names())}")


def names() -> list[str]:
    """Every name that is known."""
    return [*embedded(), *entries(), *own()]


def embedded() -> dict[str, Path]:
    """The models that come with emolens, by name."""
    return {path.stem: path for path in sorted(_ASSETS.glob("*.onnx"))}


def own() -> dict[str, Path]:
    """The model files that the user has put into the folder of pulled models, by name."""
    taken = {*embedded(), *entries()}
    found = sorted(path for path in cache_folder().glob("*.onnx") if path.is_file())
    return {path.stem: path for path in found if path.stem not in taken}


def card_of(path: Path) -> ModelCard:
    """The card of a model file.

    Raises:
        ModelError: there is no such file, or it has no card.
    """
    return ModelCard.from_metadata(metadata_of(path), str(path))


def _runnable(entry: Entry) -> Path:
    if entry.instead:
        raise ModelError(f"emolens does not run {entry.name} as it is: {entry.instead}")
    entry.check()
    return entry.path


def _elsewhere(name: str) -> list[Path]:
    """Where else a relative path may lead to a model file."""
    folders = (cache_folder(), settings.folder(settings.RUNS))
    return [] if Path(name).is_absolute() else [folder / name for folder in folders if folder]
