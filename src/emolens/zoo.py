"""Names of models -> their files: embedded, cached, or downloaded on request."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from emolens import settings
from emolens.card import ModelCard
from emolens.errors import ConfigError, ModelError
from emolens.labels import did_you_mean
from emolens.runtime import metadata_of

_ASSETS = Path(__file__).with_name("assets")
_TIMEOUT_S = 30


class Entry(BaseModel):
    """A model that can be downloaded.

    Attributes:
        sha256: of the file; anything else that comes from `url` is refused.
        size: of the file, in bytes.
        labels: in the order of the outputs.
        preprocessing: what the model expects of its pixels, for people; the code that runs the model knows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["face", "scene", "emoji", "generic", "detector"]
    url: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0)]
    licence: str
    labels: tuple[str, ...]
    preprocessing: str
    about: str

    @property
    def path(self) -> Path:
        """Where the file is or would be, once pulled."""
        return cache_folder() / f"{self.name}.onnx"


def find(name: str | os.PathLike[str]) -> Path:
    """The model file that a name or path stands for; nothing is downloaded.

    A relative path that is not in the working directory is looked up in the folder of pulled models and in
    `EMOLENS_RUNS`.

    Raises:
        ModelError: there is no such model, or it has not been pulled yet.
    """
    if Path(name).is_file():
        return Path(name)
    name = os.fspath(name)
    if name in embedded():
        return embedded()[name]
    if name in entries():
        return _cached(entries()[name])
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
    """Every name that `find` knows."""
    return [*embedded(), *entries(), *own()]


def embedded() -> dict[str, Path]:
    """The models that come with emolens, by name."""
    return {path.stem: path for path in sorted(_ASSETS.glob("*.onnx"))}


@cache
def entries() -> dict[str, Entry]:
    """The models that can be downloaded, by name."""
    table = yaml.safe_load(Path(__file__).with_name("zoo.yaml").read_text(encoding="utf-8"))
    return {name: Entry(name=name, **fields) for name, fields in table.items()}


def own() -> dict[str, Path]:
    """The model files that the user has put into the folder of pulled models, by name."""
    taken = {*embedded(), *entries()}
    return {path.stem: path for path in sorted(cache_folder().glob("*.onnx")) if path.stem not in taken}


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        ModelError: there is none; the nearest name is given.
    """
    known = entries()
    if name not in known:
        raise ModelError(f"'{name}' cannot be pulled{did_you_mean(name, known)}")
    return known[name]


def cache_folder() -> Path:
    """Where pulled models are kept: `EMOLENS_MODELS`, or a folder in the user's cache."""
    folder = settings.folder(settings.MODELS)
    if folder:
        return folder
    import platformdirs

    return Path(platformdirs.user_cache_dir("emolens")) / "models"


def card_of(path: Path) -> ModelCard:
    """The card of a model file.

    Raises:
        ModelError: there is no such file, or it has no card.
    """
    return ModelCard.from_metadata(metadata_of(path), str(path))


def pull(entry: Entry) -> Path:
    """Downloads a model into the cache, unless it is there already; the file appears whole and checked, or not at all.

    Raises:
        ModelError: the download failed, or brought another file than the entry describes.
        ConfigError: `EMOLENS_OFFLINE=1` forbids downloads, or the cache cannot be written.
    """
    import pooch

    if entry.path.is_file() and pooch.file_hash(str(entry.path)) == entry.sha256:
        return entry.path
    if settings.offline():
        raise ConfigError(f"EMOLENS_OFFLINE=1 forbids downloads; unset it, or copy the file to {entry.path} yourself")
    pooch.get_logger().setLevel("WARNING")
    try:
        entry.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{entry.path.parent} cannot be made: {error.strerror}; set EMOLENS_MODELS elsewhere"
        ) from None
    try:
        pooch.retrieve(
            entry.url,
            known_hash=f"sha256:{entry.sha256}",
            fname=entry.path.name,
            path=entry.path.parent,
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_S),
        )
    except OSError as error:
        raise ModelError(f"{entry.name} could not be downloaded: {error}; try again later") from None
    except ValueError:
        raise ModelError(
            f"{entry.url} does not bring the file that {entry.name} stands for (its sha256 is not {entry.sha256}); "
            f"nothing was kept; update emolens, or copy the right file to {entry.path}"
        ) from None
    return entry.path


def _cached(entry: Entry) -> Path:
    if not entry.path.is_file():
        raise ModelError(
            f"{entry.name} has not been downloaded yet; fetch it once with `emolens models pull {entry.name}`"
        )
    return entry.path


def _elsewhere(name: str) -> list[Path]:
    """Where else a relative path may lead to a model file."""
    folders = (cache_folder(), settings.folder(settings.RUNS))
    return [] if Path(name).is_absolute() else [folder / name for folder in folders if folder]
