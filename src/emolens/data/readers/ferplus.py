"""FER+ (Barsoum et al., 2016): ten crowd votes for each FER2013 face, kept as distributions.

Layouts:
    A folder with `fer2013new.csv` (`Usage, Image name`, the ten votes) and either the pictures, as
    `FER2013Train|FER2013Valid|FER2013Test/ferNNNNNNN.png`, or `fer2013.csv` or `icml_face_data.csv`, which has the same
    rows in the same order.
    A Parquet table with `row, usage, png, leak` and the ten votes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.data.readers import fer_csv
from emolens.data.readers.fer_table import read_table as read_parquet_rows
from emolens.data.readers.gathering import Gathering, RowError, Wanted, first_of, image_in, quoted
from emolens.data.readers.tables import read_table, whole_number
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

_VOTES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The columns, in the order of `ferplus8`, unknown, and no face."""

_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}


@dataclass(frozen=True)
class _Row:
    """One row of `fer2013new.csv`; `row` counts from 0 and is that of `fer2013.csv`, too."""

    row: int
    usage: str
    image: str
    votes: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"row {self.row}"


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads FER+ over `ferplus8` and `unknown`; rows mostly voted NF (no face) are left out and counted."""
    gathering = Gathering("ferplus", (*LABEL_SETS["ferplus8"], "unknown"), wanted)
    if not path.is_dir():
        _read_parquet(path, gathering)
        return gathering.dataset()
    votes = path / "fer2013new.csv"
    if not votes.is_file():
        raise DataError(f"{path} holds no fer2013new.csv with FER+'s votes; fetch it, or give the folder that does")
    pixels = first_of([path / name for name in fer_csv.NAMES])
    if any((path / folder).is_dir() for folder in _FOLDERS.values()):
        _read_files(path, votes, gathering)
    elif pixels is not None:
        _read_pixels(pixels, votes, gathering)
    else:
        raise DataError(f"{path} holds the votes but no pictures; put {' or '.join(fer_csv.NAMES)} beside them")
    return gathering.dataset()


def _read_parquet(path: Path, gathering: Gathering) -> None:
    for row in read_parquet_rows(path, dict.fromkeys(_VOTES, "int64"), gathering):
        name = f"row {row['row']}"
        with gathering.row(f"{path.name}, {name}"):
            _add(gathering, name, row["usage"], [row[vote] for vote in _VOTES], row["png"], row["leak"])


def _read_files(folder: Path, votes: Path, gathering: Gathering) -> None:
    rows = list(_read_votes(votes, gathering))
    owners = {row.image: row.row for row in rows if row.image}  # of a name that stands twice, the later row
    named = [row for row in rows if owners.get(row.image) == row.row]
    searched = [] if gathering.wanted.keep_leaks else named
    copies = fer_csv.Copies(_pictures(folder, searched))
    for row in rows:
        if gathering.wants(row.usage):
            with gathering.row(f"{votes.name}, {row.name}"):
                owned = owners.get(row.image) == row.row
                image = _picture(folder, row) if owned else None
                leak = image is not None and copies.leaked(row.usage, image)
                _add(gathering, row.name, row.usage, list(map(whole_number, row.votes)), image, leak)


def _pictures(folder: Path, rows: Iterable[_Row]) -> Iterator[tuple[str, Path]]:
    for row in rows:
        with suppress(RowError):
            yield row.usage, _picture(folder, row)


def _picture(folder: Path, row: _Row) -> Path:
    return image_in(folder, f"{_FOLDERS[row.usage]}/{row.image}")


def _read_pixels(pixels: Path, votes: Path, gathering: Gathering) -> None:
    rows = {row.row: row for row in _read_votes(votes, gathering)}
    copies = fer_csv.find_leaks(pixels, gathering)
    for face in fer_csv.read_faces(pixels, gathering):
        row = rows.pop(face.row, None)
        if gathering.wants(face.usage):
            with gathering.row(f"{pixels.name}, {face.name}"):
                if row is None or row.usage != face.usage:
                    raise RowError("no_votes", f"{votes.name} has no such row of {face.usage}; fetch both files again")
                leak = copies.leaked(face.usage, face.pixels.encode())
                _add(gathering, face.name, face.usage, list(map(whole_number, row.votes)), face.image(), leak)
    for row in rows.values():
        if gathering.wants(row.usage):
            gathering.note("missing_image", f"{votes.name}, {row.name}: {pixels.name} has no such row")


def _read_votes(path: Path, gathering: Gathering) -> Iterator[_Row]:
    columns = [vote.lower() for vote in _VOTES]
    for number, row in read_table(path, gathering, ("usage", "image name", *columns)):
        if row["usage"] in fer_csv.USAGES:
            yield _Row(number - 2, row["usage"], row["image name"], tuple(row[column] for column in columns))
        else:
            gathering.note("unknown_split", f"{path.name}:{number}: {quoted(row['usage'])} is no split of FER2013")


def _add(
    gathering: Gathering, name: str, usage: str, ballot: Sequence[int], image: bytes | Path | None, leak: bool
) -> None:
    votes = np.array(ballot[:-1], dtype=np.float32)
    if ballot[-1] > votes.max():
        gathering.leave_out("mostly_no_face")
    elif image is None:
        gathering.leave_out("no_image")
    elif leak and not gathering.wanted.keep_leaks:
        gathering.leave_out("leak")
    elif votes.min() < 0 or votes.max() == 0:
        raise RowError("bad_votes", "has no votes, or negative ones")
    else:
        gathering.add(Sample(name, image, votes / votes.sum(), usage))
