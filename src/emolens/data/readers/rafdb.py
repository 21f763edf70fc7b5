"""RAF-DB (Li et al., 2017): faces from the web, one of seven basic emotions each.

Layout: the folder `basic`, or the one above it, with `EmoLabel/list_patition_label.txt` (lines such as
`train_00001.jpg 5`) and the aligned faces as `Image/aligned/train_00001_aligned.jpg`.
"""

from pathlib import Path, PurePath

from emolens.data.readers.gathering import Gathering, RowError, Wanted, first_of, image_in, quoted
from emolens.data.readers.tables import read_rows
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

_LABELS = {
    "1": "surprise", "2": "fear", "3": "disgust", "4": "happy", "5": "sad", "6": "angry", "7": "neutral",
}  # fmt: skip
_SPLITS = ("train", "test")
_LIST = "EmoLabel/list_patition_label.txt"


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads the aligned faces of RAF-DB over `fer7`, one-hot."""
    folder = first_of([root for root in (path, path / "basic") if (root / _LIST).is_file()])
    if folder is None:
        raise DataError(f"{path} holds no {_LIST}; give the folder `basic` of RAF-DB")
    gathering = Gathering("rafdb", LABEL_SETS["fer7"], wanted)
    for number, fields in read_rows(folder / _LIST, " "):
        with gathering.row(f"{PurePath(_LIST).name}:{number}"):
            if len(fields) != 2:
                raise RowError("bad_row", f"has {len(fields)} fields; it must be NAME and LABEL")
            name, code = fields
            split = name.partition("_")[0]
            if split not in _SPLITS:
                raise RowError("unknown_split", f"{quoted(name)} begins with neither of {', '.join(_SPLITS)}")
            if gathering.wants(split):
                if code not in _LABELS:
                    raise RowError("unknown_label", f"{quoted(code)} is no label of RAF-DB; there are 1 to 7")
                image = image_in(folder, f"Image/aligned/{name.rpartition('.')[0]}_aligned.jpg")
                gathering.add(Sample(name, image, gathering.one_hot(_LABELS[code]), split))
    return gathering.dataset()
