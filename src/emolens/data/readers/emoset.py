"""EmoSet (Yang et al., 2023): photographs with one of Mikels' eight emotions each.

Layout: a folder with `train.json`, `val.json` and `test.json`, each a list of `[emotion, name, image, annotation]` such
as `["awe", "awe_1", "image/awe/awe_1.jpg", "annotation/awe/awe_1.json"]`. The annotation's attributes are not read.
"""

import json
from pathlib import Path
from typing import Any

from emolens.data.readers.gathering import Gathering, RowError, Wanted, image_in
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

MAX_BYTES = 2**28
"""Of a list: twenty times what EmoSet-118K needs for its training pictures."""

_SPLITS = ("train", "val", "test")


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads EmoSet over `mikels8`, one-hot."""
    gathering = Gathering("emoset", LABEL_SETS["mikels8"], wanted)
    lists = {split: path / f"{split}.json" for split in _SPLITS if (path / f"{split}.json").is_file()}
    if not lists:
        raise DataError(f"{path} holds no {', '.join(f'{split}.json' for split in _SPLITS)}; give the folder of EmoSet")
    for split, file in lists.items():
        if gathering.wants(split):
            for index, entry in enumerate(_load(file)):
                with gathering.row(f"{file.name}, entry {index}"):
                    if not _is_entry(entry):
                        raise RowError("bad_row", "is no [emotion, name, image, annotation], all of them text")
                    emotion, name, image, *_ = entry
                    gathering.add(Sample(name, image_in(path, image), gathering.one_hot(emotion), split))
    return gathering.dataset()


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) in (3, 4) and all(isinstance(field, str) for field in entry)


def _load(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} is over {MAX_BYTES / 2**20:.0f} MiB; that is no list of EmoSet")
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise DataError(f"{path} is no JSON that can be read: {error}; fetch it again") from None
    if not isinstance(entries, list):
        raise DataError(f"{path} holds no list; fetch it again")
    return entries
