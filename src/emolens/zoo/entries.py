"""The models that others made and that can be pulled: what `zoo.yaml` says of them, and their files."""

from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field

from emolens import settings
from emolens.errors import ConfigError, ModelError
from emolens.labels import did_you_mean
from emolens.session import file_hash


class Metric(BaseModel):
    """A figure that others have published of a model.

    Attributes:
        of: what was measured, and on which data.
        value: as its source gives it.
        source: where that stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    value: float
    source: str


class Entry(BaseModel):
    """A model that can be downloaded.

    Attributes:
        sha256: of the file; anything else that comes from `url` is refused.
        size: of the file, in bytes.
        licence: of the file, as those who publish it state it.
        training_data: what it was trained on, and under which terms.
        labels: in the order of the outputs.
        preprocessing: what the model expects of its pixels, for people; the code that runs the model knows it.
        metrics: nothing that emolens has measured.
        instead: of a file that emolens does not run as it is: why, and what to do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["face", "scene", "emoji", "generic", "detector", "embedding", "landmarks"]
    url: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0)]
    licence: str
    training_data: str
    labels: tuple[str, ...]
    preprocessing: str
    about: str
    metrics: tuple[Metric, ...] = ()
    instead: str = ""

    @property
    def file_name(self) -> str:
        """Of the file where it comes from, and on a mirror."""
        return file_name(self.url)

    @property
    def path(self) -> Path:
        """Where the file is or would be, once pulled."""
        return cache_folder() / f"{self.name}{PurePosixPath(self.file_name).suffix}"

    def check(self) -> None:
        """Reads the pulled file whole.

        Raises:
            ModelError: it is not there, or is not the file that the entry describes.
        """
        remedy = f"`emolens models pull {self.name}`"
        if not self.path.is_file():
            raise ModelError(f"{self.name} has not been downloaded yet; fetch it once with {remedy}")
        size = self.path.stat().st_size
        if size != self.size:
            found = f"it has {size:,} bytes instead of {self.size:,}"
        elif file_hash(self.path) != self.sha256:
            found = f"its sha256 is not {self.sha256}"
        else:
            return
        raise ModelError(f"{self.path} is not the file that {self.name} stands for: {found}; replace it with {remedy}")


@cache
def entries() -> dict[str, Entry]:
    """The models that can be downloaded, by name."""
    table = yaml.safe_load(Path(__file__).with_name("zoo.yaml").read_text(encoding="utf-8"))
    return {name: Entry(name=name, **fields) for name, fields in table.items()}


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


def pull(entry: Entry) -> Path:
    """Downloads a model into the cache, unless it is there already; the file appears whole and checked, or not at all.

    Raises:
        ModelError: as of `download`.
        ConfigError: `EMOLENS_OFFLINE=1` forbids downloads, `EMOLENS_MIRROR` is no address, or the cache cannot be
            written.
    """
    fetch(entry.url, entry.path, entry.size, entry.sha256)
    return entry.path


def fetch(url: str, path: Path, size: int, sha256: str) -> None:
    """Downloads a file into the cache, from the mirror if there is one, unless it is there already.

    Args:
        url: where it is published.
        path: where it is to be.
        size: in bytes.
        sha256: in hexadecimal.

    Raises:
        ModelError: as of `download`.
        ConfigError: `EMOLENS_OFFLINE=1` forbids downloads, `EMOLENS_MIRROR` is no address, or the cache cannot be
            written.
    """
    from emolens.zoo.download import download  # brings ssl and the like, which no prediction needs

    if path.is_file() and path.stat().st_size == size and file_hash(path) == sha256:
        return
    if settings.offline():
        raise ConfigError(f"EMOLENS_OFFLINE=1 forbids downloads; unset it, or copy the file to {path} yourself")
    mirror = settings.mirror()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be made: {error.strerror}; set EMOLENS_MODELS elsewhere") from None
    download(f"{mirror}/{file_name(url)}" if mirror else url, path, size, sha256)


def file_name(url: str) -> str:
    """Of the file that is published there, and on a mirror."""
    return PurePosixPath(urlsplit(url).path).name
