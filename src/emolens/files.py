"""Files that appear whole or not at all, whatever ends the program that writes them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives the path of a file beside `path` to write to, which then takes its place; after an error it is removed.

    What a killed program leaves, `.NAME.part`, is written over the next time.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
