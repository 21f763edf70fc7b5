"""Where the data goes: stdout, or a file that appears whole or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

from emolens.errors import ConfigError
from emolens.files import written_whole


@contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """The stream to write to; stdout where `path` is None.

    Raises:
        ConfigError: the file cannot be made there.
    """
    if path is None:
        yield sys.stdout
        return
    with (
        written_to(path) as target,
        target.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        yield stream


@contextmanager
def written_to(path: Path) -> Iterator[Path]:
    """Where to write what shall stand at `path`, whole or not at all; a pipe or a device is written to itself.

    Raises:
        ConfigError: the file cannot be made there.
    """
    is_special = path.exists() and not path.is_file()
    with nullcontext(path) if is_special else written_whole(path) as target:
        try:
            target.open("ab").close()
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --output") from None
        yield target
