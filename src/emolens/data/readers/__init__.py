"""One file per dataset, each with `read(path, keep_leaks) -> Dataset` over the dataset's own labels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emolens.data.readers import ferplus, fer2013
from emolens.data.samples import Dataset, check_split
from emolens.errors import ConfigError, DataError
from emolens.labels import did_you_mean

READERS: dict[str, Callable[[Path, bool], Dataset]] = {
    "fer2013": fer2013.read,
    "ferplus": ferplus.read,
}


def read_dataset(name: str, path: Path, split: str | None = None, keep_leaks: bool = False) -> Dataset:
    """Reads a dataset by the name of its reader.

    Args:
        name: one of `READERS`.
        path: the file or folder, in the layout that the reader's module describes.
        split: only the samples of this split; all of them where None.
        keep_leaks: also rows that the dataset marks as leaked from another split.

    Raises:
        ConfigError: there is no such reader.
        DataError: the path is missing, is not in the layout, or has no such split.
    """
    if name not in READERS:
        raise ConfigError(f"'{name}' is no dataset{did_you_mean(name, READERS)}; there are {', '.join(READERS)}")
    if not path.exists():
        raise DataError(f"no data at {path}; give the dataset's file or folder with --data")
    dataset = READERS[name](path, keep_leaks)
    if split is None:
        return dataset
    check_split(name, split, sorted({sample.split for sample in dataset.samples}))
    return replace(dataset, samples=tuple(sample for sample in dataset.samples if sample.split == split))
