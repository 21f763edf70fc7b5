"""Any pictures with a table of their labels.

Layout: a table of text beside the pictures, or the folder that holds one such table. Its columns: the picture's path
(`image`, `path`, `file`, `filename` or `image_name`), perhaps the split (`split`, `usage` or `set`; without it one is
drawn), and
    either one with the label (`label`, `emotion`, `expression` or `class`),
    or one for each label, with probabilities that sum to one, or 0 and 1 where several labels, of any names, may hold
    at once;
and perhaps metadata: beside a column with the label every other column, beside columns for each label those whose names
begin with `meta_`, since any other name might be a label's.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from emolens.data.readers.gathering import UNDRAWN, Gathering, RowError, Wanted, image_in, quoted
from emolens.data.readers.tables import read_rows, read_table
from emolens.data.readers.targets import distribution, fractions, known_labels, smallest_label_set
from emolens.data.samples import Dataset, Objective, Sample
from emolens.errors import DataError
from emolens.labels import canonical, did_you_mean

_IMAGE = ("image", "path", "file", "filename", "image_name")
_SPLIT = ("split", "usage", "set")
_LABEL = ("label", "emotion", "expression", "class")
_METADATA = "meta_"


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads the table: hard labels over the smallest label set with room for them, else its own columns."""
    table = _find_table(path)
    names = next((fields for _, fields in read_rows(table)), [])
    header = [name.lower() for name in names]
    image, split, label = (next((name for name in header if name in known), None) for known in (_IMAGE, _SPLIT, _LABEL))
    if image is None:
        raise DataError(f"{table} has no column for the picture's path; name one of its columns 'image'")
    others = [name for name in header if name not in (image, split, label)]
    columns = [label] if label else [name for name in others if not name.startswith(_METADATA)]
    metadata = [name for name in others if name not in columns]
    rows = [[row[column] for column in columns] for _, row in read_table(table, Gathering("csv", (), wanted), columns)]
    objective: Objective = "distribution" if label else _objective(rows)
    labels = (
        smallest_label_set({value for [value] in rows}, table) if label else _check_labels(columns, objective, table)
    )
    to_target = fractions if objective == "multilabel" else distribution
    gathering = Gathering("csv", labels, wanted)
    for number, row in read_table(table, gathering, columns):
        with gathering.row(f"{table.name}:{number}"):
            part = _part(row[split]) if split else UNDRAWN
            if part == UNDRAWN or gathering.wants(part):
                values = [row[column] for column in columns]
                target = gathering.one_hot(values[0]) if label else to_target(values)
                about = {name: row[name] for name in metadata}
                file = image_in(table.parent, row[image])
                gathering.add(Sample(f"{table.name}:{number}", file, target, part, metadata=about))
    return gathering.dataset(objective)


def _find_table(path: Path) -> Path:
    tables = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if len(tables) != 1:
        raise DataError(f"{path} holds {len(tables)} tables (*.csv); name the one to read")
    return tables[0]


def _check_labels(columns: Sequence[str], objective: Objective, table: Path) -> tuple[str, ...]:
    """Columns of 0 and 1 may be called anything; a column beside probabilities that is no emotion is a mistake."""
    known = sorted(known_labels())
    for column in columns:
        if objective == "distribution" and canonical(column) not in known:
            hint = did_you_mean(column, known)
            raise DataError(
                f"{table}: the column {quoted(column)} is no label{hint}; rename or remove it, or call it "
                f"{quoted(_METADATA + column)} if it is metadata"
            )
    labels = tuple(canonical(column) for column in columns)
    if len(set(labels)) < max(len(labels), 2):
        raise DataError(f"{table} needs a column 'label', or two and more columns of different labels")
    return labels


def _objective(rows: Iterable[Sequence[str]]) -> Objective:
    """Several labels may hold at once where all values are 0 or 1 and some row has not exactly one 1."""
    one_each = True
    for values in rows:
        with suppress(RowError):  # noted when the row is read
            numbers = fractions(values)
            if not np.isin(numbers, (0, 1)).all():
                return "distribution"
            one_each &= numbers.sum() == 1
    return "distribution" if one_each else "multilabel"


def _part(split: str) -> str:
    if split == UNDRAWN:
        raise RowError("unknown_split", "names no split")
    return split
