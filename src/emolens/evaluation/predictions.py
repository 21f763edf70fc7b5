"""`predictions.csv`: what a model answered for every sample, for comparisons and whatever else one wants to know."""

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import Dataset
from emolens.errors import DataError
from emolens.files import written_whole

_FIRST = ("name", "split", "answered")
_TARGET, _PROBABILITY = "target:", "probability:"
_ANSWERED = {"true": True, "false": False}

# Spreadsheets run cells that begin so as formulas. They take the apostrophe for "this is text"; so does the reader.
_FORMULA, _TEXT = ("=", "+", "-", "@", "\t", "\r"), "'"

_MOST_BYTES, _MOST_ROWS = 256 * 2**20, 2_000_000
# What rounding leaves over one.
_MOST_PROBABLE = 1.001


@dataclass(frozen=True)
class Predictions:
    """A model's answers beside the truth, a row per sample.

    In the file each row is a line with `name, split, answered` (`true` or `false`), `target:LABEL` for every label and
    `probability:LABEL` for every label; UTF-8 CSV after RFC 4180. An apostrophe stands before names and splits that a
    spreadsheet would run as formulas and before those that begin with one. Numbers are read back to the bit.

    Attributes:
        names: of the samples; a name may occur again.
        splits: of the samples.
        labels: the L names of the columns.
        targets: `(N, L)` float32.
        probabilities: `(N, L)` float32; zeros where there is no answer.
        answered: `(N,)` bool.
    """

    names: tuple[str, ...]
    splits: tuple[str, ...]
    labels: tuple[str, ...]
    targets: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    answered: NDArray[np.bool_]

    @classmethod
    def of(cls, dataset: Dataset, probabilities: NDArray[np.float32], answered: NDArray[np.bool_]) -> Self:
        """The answers for a dataset's samples, in their order."""
        names, splits = (tuple(getattr(sample, what) for sample in dataset.samples) for what in ("name", "split"))
        return cls(names, splits, dataset.labels, dataset.targets, probabilities, answered)

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all.

        Half of a character, as in names of files that are no text, becomes an escape such as `\\udc80`.
        """
        with (
            written_whole(path) as unfinished,
            unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
        ):
            writer = csv.writer(stream)
            writer.writerow(_header(self.labels))
            rows = zip(self.names, self.splits, self.answered, self.targets, self.probabilities, strict=True)
            for name, split, answered, target, predicted in rows:
                # Of single precision, text is the shortest that is read back to the bit.
                numbers = np.concatenate([target, predicted], dtype=np.float32).astype(str)
                writer.writerow((as_text(name), as_text(split), str(bool(answered)).lower(), *numbers))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            DataError: the file is missing, too large, or not such a file; the message names the line.
        """
        if not path.is_file():
            raise DataError(f"{path} is missing; run `emolens evaluate ... --out {path.parent}` again, which writes it")
        try:
            size = path.stat().st_size
            if size > _MOST_BYTES:
                raise DataError(f"{path} is {size:,} bytes long; predictions of up to {_MOST_BYTES:,} bytes are read")
            with path.open(encoding="utf-8", newline="") as stream:
                return cls._parse(_Lines(path, stream))
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise DataError(f"{path} is not UTF-8; write it again with `emolens evaluate ... --out`") from None

    @classmethod
    def _parse(cls, lines: "_Lines") -> Self:
        labels = lines.labels()
        names: list[str] = []
        splits: list[str] = []
        answered: list[bool] = []
        numbers = array("f")
        for name, split, said, *cells in lines.rows(len(_header(labels))):
            if len(names) == _MOST_ROWS:
                raise lines.fault(f"there are more than {_MOST_ROWS:,} samples")
            if said not in _ANSWERED:
                raise lines.fault(f"answered is '{said[:40]}', neither true nor false")
            names.append(_as_written(name))
            splits.append(_as_written(split))
            answered.append(_ANSWERED[said])
            numbers.extend(lines.fractions(cells))
        table = np.array(numbers, dtype=np.float32).reshape(len(names), 2, len(labels))
        return cls(tuple(names), tuple(splits), labels, table[:, 0], table[:, 1], np.array(answered, dtype=np.bool_))


class _Lines:
    """The lines of the file, and where a fault in them is."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path, self._lines = path, csv.reader(stream, strict=True)

    def labels(self) -> tuple[str, ...]:
        header = next(self._guarded(), [])
        labels = tuple(column.removeprefix(_TARGET) for column in header if column.startswith(_TARGET))
        if not labels or len(set(labels)) < len(labels) or header != _header(labels):
            raise self.fault(
                f"the columns are not {', '.join(_FIRST)}, a '{_TARGET}LABEL' for each label and a "
                f"'{_PROBABILITY}LABEL' for each, in the same order"
            )
        return labels

    def rows(self, width: int) -> Iterator[list[str]]:
        for row in self._guarded():
            if len(row) != width:
                raise self.fault(f"there are {len(row)} columns instead of {width}")
            yield row

    def fractions(self, cells: list[str]) -> Iterator[float]:
        for cell in cells:
            try:
                number = float(cell)
            except ValueError:
                number = np.nan
            if not 0 <= number <= _MOST_PROBABLE:
                raise self.fault(f"'{cell[:40]}' is no number from 0 to 1")
            yield number

    def fault(self, what: str) -> DataError:
        place = f"{self._path}:{max(self._lines.line_num, 1)}"
        return DataError(f"{place}: {what}; write the file again with `emolens evaluate ... --out`")

    def _guarded(self) -> Iterator[list[str]]:
        try:
            yield from self._lines
        except csv.Error as error:
            raise self.fault(str(error)) from None


def _header(labels: tuple[str, ...]) -> list[str]:
    return [*_FIRST, *(_TARGET + label for label in labels), *(_PROBABILITY + label for label in labels)]


def as_text(value: str) -> str:
    """A cell that no spreadsheet runs as a formula."""
    return _TEXT + value if value.startswith((*_FORMULA, _TEXT)) else value


def _as_written(value: str) -> str:
    return value.removeprefix(_TEXT)
