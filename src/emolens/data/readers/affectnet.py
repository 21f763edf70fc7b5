"""AffectNet (Mollahosseini et al., 2017): faces from the web, one of eight expressions each.

Layouts:
    The tables `training.csv` and `validation.csv` (perhaps in `Manually_Annotated_file_lists/`), with
    `subDirectory_filePath, face_x, face_y, face_width, face_height, expression` and columns that are not read, and the
    pictures in `Manually_Annotated_Images/` (perhaps in `Manually_Annotated/`) or right in the folder.
    The folders `train_set` and `val_set`, each with `annotations/<id>_exp.npy` and `images/<id>.jpg`.
"""

from pathlib import Path

import numpy as np

from emolens.data.readers.gathering import Gathering, RowError, Wanted, first_of, image_in, quoted
from emolens.data.readers.tables import read_table, whole_number
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS
from emolens.results import Box

_CODES = (
    "neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt", "none", "uncertain", "no_face",
)  # fmt: skip
_NO_EMOTION = _CODES[8:]
_TABLES = {"training": "training.csv", "validation": "validation.csv"}
_SETS = ("train_set", "val_set")
_LISTS = "Manually_Annotated_file_lists"
_IMAGES = ("Manually_Annotated/Manually_Annotated_Images", "Manually_Annotated_Images")
_BOX = ("face_x", "face_y", "face_width", "face_height")
_MAX_NPY = 2**12


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads AffectNet over `ferplus8`, one-hot; projecting to `fer7` gives its seven classes.

    Rows of no expression (`none`, `uncertain`, `no_face`) are left out and counted.
    """
    gathering = Gathering("affectnet", LABEL_SETS["ferplus8"], wanted)
    tables = {
        split: table
        for split, name in _TABLES.items()
        if (table := first_of([path / name, path / _LISTS / name])) is not None
    }
    sets = [name for name in _SETS if (path / name / "annotations").is_dir()]
    if not tables and not sets:
        raise DataError(f"{path} holds neither training.csv nor train_set/annotations; give the folder of AffectNet")
    for split, table in tables.items():
        if gathering.wants(split):
            _read_table(table, first_of([path / name for name in _IMAGES]) or path, split, gathering)
    for split in sets:
        if gathering.wants(split):
            _read_set(path / split, split, gathering)
    return gathering.dataset()


def _read_table(table: Path, images: Path, split: str, gathering: Gathering) -> None:
    for number, row in read_table(table, gathering, ("subdirectory_filepath", *_BOX, "expression")):
        with gathering.row(f"{table.name}:{number}"):
            label = _label(whole_number(row["expression"]))
            if label in _NO_EMOTION:
                gathering.leave_out(label)
                continue
            name = row["subdirectory_filepath"]
            target, box = gathering.one_hot(label), _box([row[column] for column in _BOX])
            gathering.add(Sample(f"{split}, {name}", image_in(images, name), target, split, box))


def _read_set(folder: Path, split: str, gathering: Gathering) -> None:
    for file in sorted((folder / "annotations").glob("*_exp.npy")):
        name = file.name.removesuffix("_exp.npy")
        with gathering.row(f"{split}/annotations/{file.name}"):
            label = _label(_read_code(file))
            if label in _NO_EMOTION:
                gathering.leave_out(label)
                continue
            image = image_in(folder, f"images/{name}.jpg")
            gathering.add(Sample(f"{split}, {name}", image, gathering.one_hot(label), split))


def _read_code(file: Path) -> int:
    """The one number in a file; it is stored as text in the release."""
    try:
        if file.stat().st_size > _MAX_NPY:
            raise ValueError("too large")
        # Mapped, so that a header that promises gigabytes allocates none of them.
        content = np.lib.format.open_memmap(file, mode="r")
        return whole_number(str(content.item()))
    except (ValueError, OSError):
        raise RowError("bad_value", "holds no single whole number") from None


def _label(code: int) -> str:
    if code >= len(_CODES):
        raise RowError("unknown_label", f"{code} is no expression of AffectNet; there are 0 to {len(_CODES) - 1}")
    return _CODES[code]


def _box(values: list[str]) -> Box:
    try:
        x, y, width, height = (float(value) for value in values)
    except ValueError:
        raise RowError("bad_box", f"{quoted(' '.join(values))} are not all numbers") from None
    if not (width > 0 and height > 0 and np.isfinite((x, y, width, height)).all()):
        raise RowError("bad_box", f"{quoted(' '.join(values))} is no face box: x, y, width, height")
    return x, y, width, height
