"""Where the data goes: stdout, or a file that appears whole or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from emolens.errors import ConfigError
from emolens.files import written_whole


@contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """The stream to write text to; stdout where `path` is None.

    Raises:
        ConfigError: the file cannot be made there.
    """
    if path is None:
        yield sys.stdout
        return
    with (
        binary_destination(path) as file,
        TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        yield stream


@contextmanager
def binary_destination(path: Path) -> Iterator[BinaryIO]:
    """The same for bytes."""
    # A pipe or a device has to be written to, and opened once; it must not be replaced by a file.
    is_special = path.exists() and not path.is_file()
    with nullcontext(path) if is_special else written_whole(path) as target:
        try:
            file = target.open("wb")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --output") from None
        with file:
            yield file
