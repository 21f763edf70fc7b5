"""One file per dataset, each with `read(path, keep_leaks, split) -> Dataset` over the dataset's own labels."""

from collections.abc import Callable
from pathlib import Path

from emolens.data.readers import fer2013, ferplus
from emolens.data.samples import Dataset
from emolens.errors import ConfigError, DataError
from emolens.labels import did_you_mean

READERS: dict[str, Callable[[Path, bool, str | None], Dataset]] = {
    "fer2013": fer2013.read,
    "ferplus": ferplus.read,
}


def read_dataset(name: str, path: Path, split: str | None = None, keep_leaks: bool = False) -> Dataset:
    """Reads a dataset by the name of its reader.

    Args:
        name: one of `READERS`.
        path: the file or folder, in the layout that the reader's module describes.
        split: only the samples of this split, and only its rows are counted in `left_out`; all of them where None.
        keep_leaks: also rows that the dataset marks as leaked from another split.

    Raises:
        ConfigError: there is no such reader.
        DataError: the path is missing, is not in the layout, or has no such split.
    """
    if name not in READERS:
        raise ConfigError(f"'{name}' is no dataset{did_you_mean(name, READERS)}")
    if not path.exists():
        raise DataError(f"no data at {path}; give the dataset's file or folder with --data")
    return READERS[name](path, keep_leaks, split)
