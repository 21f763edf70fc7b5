"""What environment variables set, in one place; and `.env`, which gives the command line those that it lacks."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from emolens.errors import ConfigError, DataError, EmolensError

PREFIX = "EMOLENS_"

DATA = "EMOLENS_DATA"
"""The folder in which a relative `--data` is looked up that is not in the working directory."""

MODELS = "EMOLENS_MODELS"
"""The folder of pulled models, in which models are also looked up by name; without it one in the user's cache."""

RUNS = "EMOLENS_RUNS"
"""The folder to which a relative `train --out` goes, and in which runs and their model files are also looked up."""

OFFLINE = "EMOLENS_OFFLINE"
"""1, true, yes or on: nothing is ever downloaded."""

MIRROR = "EMOLENS_MIRROR"
"""The address of the folder from which models are pulled, instead of from where each of them is published."""

MAX_BYTES = "EMOLENS_MAX_BYTES"
MAX_PIXELS = "EMOLENS_MAX_PIXELS"
"""From which size on images are refused."""

FEEDBACK_URL = "EMOLENS_FEEDBACK_URL"
"""The database of feedback; without it a file in the user's data folder."""

UI_KEY = "EMOLENS_UI_KEY"
"""The key with which the page asks an emolens server."""

FOLDERS = (DATA, MODELS, RUNS)

_SERVE_POLICIES = "EMOLENS_SERVE_POLICIES"
_SERVE_KEYS = ("EMOLENS_SERVE_KEYS", "EMOLENS_SERVE_ADMIN_KEYS")

SECRETS = (*_SERVE_KEYS, UI_KEY)
"""What is never shown."""

SERVE = (
    "EMOLENS_SERVE_HOST",
    "EMOLENS_SERVE_PORT",
    "EMOLENS_SERVE_WORKERS",
    "EMOLENS_SERVE_MODELS",
    "EMOLENS_SERVE_POLICY",
    _SERVE_POLICIES,
    "EMOLENS_SERVE_PROCESSES",
    "EMOLENS_SERVE_BATCH",
    "EMOLENS_SERVE_BATCH_WAIT",
    "EMOLENS_SERVE_QUEUE",
    "EMOLENS_SERVE_MEMORY",
    "EMOLENS_SERVE_FILES",
    "EMOLENS_SERVE_FEEDBACK",
    "EMOLENS_SERVE_STREAMS",
    "EMOLENS_SERVE_STREAM_SECONDS",
    "EMOLENS_SERVE_UPLOAD_SECONDS",
    "EMOLENS_SERVE_DEADLINE",
    "EMOLENS_SERVE_IDLE_SECONDS",
    "EMOLENS_SERVE_DRAIN_SECONDS",
    *_SERVE_KEYS,
    "EMOLENS_SERVE_KEY_RATE",
    "EMOLENS_SERVE_KEY_CONCURRENCY",
    "EMOLENS_SERVE_CORS",
    "EMOLENS_SERVE_CONNECTIONS",
    "EMOLENS_SERVE_ALLOW_PUBLIC",
)
"""Those of the server, whose kinds and defaults stand in `serving/settings.py`, since only its extra can check them."""

SETTINGS = (*FOLDERS, OFFLINE, MIRROR, MAX_BYTES, MAX_PIXELS, FEEDBACK_URL, UI_KEY, *SERVE)
"""Every variable that emolens reads; one that is empty counts as not set."""

_SWITCH = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off", ""), False)}

_FILE = ".env"
_MOST_BYTES = 64 * 1024
_ASSIGNMENT = re.compile(rf"(?:export\s+)?({PREFIX}\w+)\s*(.*)", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#@]*)?")
_COMMENT = re.compile(r"(?:^|\s)#")
_EXPANSION = re.compile(r"\$[\w{(]", re.ASCII)

_filled: dict[str, str] = {}
"""Where the variables come from that `fill_environment` has added: as global as the environment that they are in."""


def folder(name: str) -> Path | None:
    """The folder that a variable sets, if it does; a leading `~` is the user's home.

    Raises:
        ConfigError: it begins with the home of a user whom nobody knows.
    """
    value = os.environ.get(name)
    if not value:
        return None
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ConfigError(f"{name} is '{value}', a home that is not known; write the path out") from None


def find_data(path: Path) -> Path:
    """Where a dataset is: at the path or, if nothing is there, at the same path from `EMOLENS_DATA`.

    Raises:
        DataError: `EMOLENS_DATA` is set, and it is in neither place.
    """
    return _find(path, DATA, "data", DataError)


def find_run(path: Path) -> Path:
    """Where a run, or a file in it, is: at the path or, if nothing is there, at the same path from `EMOLENS_RUNS`.

    Raises:
        ConfigError: `EMOLENS_RUNS` is set, and it is in neither place.
    """
    return _find(path, RUNS, "run", ConfigError)


def place_run(path: Path) -> Path:
    """Where a training leaves its run: a relative path begins at `EMOLENS_RUNS`, if that is set."""
    return (folder(RUNS) or Path()) / path


def offline() -> bool:
    """Whether `EMOLENS_OFFLINE` forbids downloads.

    Raises:
        ConfigError: it says neither yes nor no.
    """
    value = os.environ.get(OFFLINE, "")
    if value.strip().lower() not in _SWITCH:
        raise ConfigError(
            f"{OFFLINE} is '{value}'; write 1, true, yes or on to forbid downloads, else 0, false, no or off"
        )
    return _SWITCH[value.strip().lower()]


def count(name: str) -> int | None:
    """The positive whole number that a variable sets, if it does.

    Raises:
        ConfigError: it is none.
    """
    value = os.environ.get(name)
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise ConfigError(f"{name} is '{value}'; it must be a positive whole number")
    return int(value)


def mirror() -> str | None:
    """The address to which a `/` and the name of a model's file are added to pull it, if there is one.

    Raises:
        ConfigError: it is no address of a folder, or holds a password, which would show in messages.
    """
    value = os.environ.get(MIRROR)
    if not value:
        return None
    if not _ADDRESS.fullmatch(value):
        raise ConfigError(f"{MIRROR} is no http or https address of a folder; write https://host/path and no more")
    return value.rstrip("/")


def source(name: str) -> str:
    """Where the value of a variable comes from: `environment`, `default`, or the `.env` as `FILE:LINE`."""
    return _filled.get(name, "environment") if os.environ.get(name) else "default"


def fill_environment() -> None:
    """Gives this process the variables of the nearest `.env` that it does not have.

    For programs alone, once, at their start; a library must not change the environment of its host. The file is the one
    in the working directory or else in its parents, up to the root of the repository or the user's home. Outside of
    both only the working directory counts, since anybody may write to a folder such as /tmp. It belongs to other
    programs, too, and may come from anywhere: only what begins with `EMOLENS_` is taken, and nothing is expanded or
    run. A relative folder begins at the file.

    Raises:
        ConfigError: the file is too large or no text, or one of our lines cannot be read; with the line.
    """
    file = _nearest_file()
    if file is None:
        return
    found = {name: (value, f"{file}:{line}") for line, name, value in _assignments(file)}
    for name, (value, place) in found.items():
        if value and name not in os.environ:
            # What begins with ~ waits for `folder`, as it would in the environment.
            is_relative = name in (*FOLDERS, _SERVE_POLICIES) and not value.startswith("~")
            os.environ[name] = str(file.parent / value) if is_relative else value
            _filled[name] = place


def _find(path: Path, name: str, what: str, error: type[EmolensError]) -> Path:
    base = folder(name)
    if base is None or path.is_absolute() or path.exists():
        return path
    if not (base / path).exists():
        raise error(f"no {what} at {path}, nor at {base / path}, where {name} says to look; check both")
    return base / path


def _nearest_file() -> Path | None:
    try:
        return next((parent / _FILE for parent in _searched(Path.cwd()) if (parent / _FILE).is_file()), None)
    except OSError:  # a working directory that is gone, or that one may not look into
        return None


def _searched(here: Path) -> list[Path]:
    parents = [here, *here.parents]
    home = _home()
    for count, parent in enumerate(parents, 1):
        if parent == home or (parent / ".git").exists():
            return parents[:count]
    return [here]


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:  # a container's user may have none
        return None


def _assignments(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line, name and value of what is ours."""
    for number, line in enumerate(_text(file).split("\n"), 1):
        ours = _ASSIGNMENT.fullmatch(line.strip())
        if ours:
            yield number, ours[1], _value(ours[2], f"{file}:{number}")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}; make it readable, or move it away") from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{file} is larger than {_MOST_BYTES // 1024} KiB; it should hold a few lines of NAME=value")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}:{line}: is no UTF-8 text; save the file as UTF-8") from None


def _value(text: str, place: str) -> str:
    """What stands after the name: `= value`, in quotes or not, and perhaps a comment."""
    if not text.startswith("="):
        raise ConfigError(f"{place}: a line is NAME=value; write a = and the value after the name")
    text = text[1:].strip()
    quote = text[:1] if text[:1] in ("'", '"') else ""
    if quote:
        value, closed, rest = text[1:].partition(quote)
        if not closed or rest.strip()[:1] not in ("", "#"):
            raise ConfigError(f"{place}: the value begins with {quote}, and must end with it in the same line")
    else:
        value = _COMMENT.split(text, maxsplit=1)[0].rstrip()
    if quote != "'" and _EXPANSION.search(value):
        raise ConfigError(f"{place}: a $ is not expanded; write the value out, or in single quotes if it has a $")
    if not value.isprintable():
        raise ConfigError(f"{place}: the value holds a character that cannot be printed; type the line anew")
    return value
