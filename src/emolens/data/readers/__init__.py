"""One file per dataset, each with `read(path, wanted) -> Dataset` over the dataset's own labels."""

from collections.abc import Callable
from pathlib import Path

from emolens.data.readers import (
    affectnet,
    csv_table,
    emoset,
    emotion6,
    fer2013,
    ferplus,
    fi,
    imagefolder,
    prepared,
    rafdb,
)
from emolens.data.readers.gathering import Wanted
from emolens.data.samples import Dataset
from emolens.errors import ConfigError, DataError
from emolens.labels import did_you_mean

READERS: dict[str, Callable[[Path, Wanted], Dataset]] = {
    "affectnet": affectnet.read,
    "csv": csv_table.read,
    "emoset": emoset.read,
    "emotion6": emotion6.read,
    "fer2013": fer2013.read,
    "ferplus": ferplus.read,
    "fi": fi.read,
    "imagefolder": imagefolder.read,
    "prepared": prepared.read,
    "rafdb": rafdb.read,
}


def read_dataset(
    name: str, path: Path, split: str | None = None, keep_leaks: bool = False, seed: int = 0, strict: bool = False
) -> Dataset:
    """Reads a dataset by the name of its reader.

    Args:
        name: one of `READERS`.
        path: the file or folder, in a layout that the reader's module describes.
        split: only the samples of this split, and only its rows are counted in `left_out`; all of them where None.
        keep_leaks: also rows that stand in an earlier split, too.
        seed: of the splits that are drawn where the dataset brings none.
        strict: refuse a dataset with faults.

    Raises:
        ConfigError: there is no such reader.
        DataError: the path is missing, is not in the layout, or has no such split; or there are faults, and `strict`.
    """
    if name not in READERS:
        raise ConfigError(f"'{name}' is no dataset{did_you_mean(name, READERS)}")
    if not path.exists():
        raise DataError(f"no data at {path}; give the dataset's file or folder with --data")
    dataset = READERS[name](path, Wanted(split, keep_leaks, seed))
    if strict:
        dataset.check_faultless()
    if not dataset.samples and not dataset.left_out:
        raise DataError(f"{path} holds no sample of {name}; give the dataset's file or folder with --data")
    return dataset
