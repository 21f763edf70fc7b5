"""Any pictures in folders that are named after emotions.

Layouts: `train/<emotion>/*.jpg`, likewise `val` and `test`; or `<emotion>/*.jpg`, whose splits are drawn.
"""

from pathlib import Path

from emolens.data.readers.folders import labelled_files, subfolders
from emolens.data.readers.gathering import UNDRAWN, Gathering, Wanted
from emolens.data.readers.targets import smallest_label_set
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError

_SPLITS = ("train", "training", "val", "valid", "validation", "test", "testing")


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads the folders over the smallest label set that has room for their names, one-hot."""
    if not path.is_dir():
        raise DataError(f"{path} is no folder; give one with a subfolder for each emotion")
    splits = {folder.name: folder for folder in subfolders(path) if folder.name.lower() in _SPLITS}
    parts = splits or {UNDRAWN: path}
    names = {folder.name for part in parts.values() for folder in subfolders(part)}
    gathering = Gathering("imagefolder", smallest_label_set(names, path), wanted)
    for split, part in parts.items():
        if split == UNDRAWN or gathering.wants(split):
            for label, file in labelled_files(part, gathering):
                place = file.relative_to(path).as_posix()
                with gathering.row(place):
                    gathering.add(Sample(place, file, gathering.one_hot(label), split))
    if splits:
        for folder in subfolders(path):
            if folder.name not in splits:
                gathering.note("unknown_split", f"{folder.name}: stands beside {', '.join(splits)}, but is no split")
    return gathering.dataset()
