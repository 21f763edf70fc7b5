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
    # A pipe or a device has to be written to; it must not be replaced by a file.
    is_special = path.exists() and not path.is_file()
    with nullcontext(path) if is_special else written_whole(path) as target:
        try:
            stream = target.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --output") from None
        with stream:
            yield stream
