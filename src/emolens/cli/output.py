"""Where the data goes: stdout, or a file that appears whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from emolens.errors import ConfigError


@contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """The stream to write to; stdout where `path` is None.

    Raises:
        ConfigError: the file cannot be made there.
    """
    if path is None:
        yield sys.stdout
        return
    # A pipe or a device has to be written to; it must not be replaced by a file.
    in_place = path.exists() and not path.is_file()
    partial = path if in_place else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        stream = partial.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --output") from None
    try:
        with stream:
            yield stream
        if not in_place:
            partial.replace(path)
    finally:
        if not in_place:
            partial.unlink(missing_ok=True)
