"""Tables of text, read line by line within limits: one line is one row, whatever the quotes say."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from emolens.data.readers.gathering import Gathering, RowError, quoted
from emolens.errors import DataError

MAX_LINE = 2**17
"""Characters in a line: ten times what FER2013 needs for the pixels of a face."""

MAX_ROWS = 10_000_000


def read_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The lines, each with its number from 1 and its fields stripped; blank lines are left away.

    Raises:
        DataError: the file is missing, is no text, or a line is too long or ends within quotes.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number in range(1, MAX_ROWS + 2):
                line = file.readline(MAX_LINE + 1)
                if not line:
                    return
                if len(line) > MAX_LINE:
                    raise DataError(
                        f"{path}:{number}: is over {MAX_LINE:,} characters long; that is no line of a table"
                    )
                if line.strip():
                    yield (
                        number,
                        [field.strip() for field in next(csv.reader([line], delimiter=delimiter, strict=True))],
                    )
    except csv.Error as error:
        raise DataError(f"{path}:{number}: cannot be split into fields: {error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text in UTF-8; save it as such") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check the path") from None
    raise DataError(f"{path} has over {MAX_ROWS:,} lines; split it")


def read_table(
    path: Path,
    gathering: Gathering,
    needed: Sequence[str],
    delimiter: str = ",",
    headless: Sequence[str] = (),
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header, each with its line's number and its fields by column; short and long rows are noted.

    Args:
        path: the file.
        gathering: takes the faults.
        needed: the columns that must be there, in lower case; others may be.
        delimiter: between fields.
        headless: the columns of a file whose first line is a row already.

    Raises:
        DataError: as `read_rows`, and where the header lacks a column or repeats one.
    """
    columns: list[str] = []
    for number, fields in read_rows(path, delimiter):
        if not columns:
            names = [field.lower() for field in fields]
            is_row = len(headless) == len(names) and not set(needed) & set(names)
            columns = list(headless) if is_row else _check_header(path, names, needed)
            if not is_row:
                continue
        if len(fields) == len(columns):
            yield number, dict(zip(columns, fields, strict=True))
        else:
            what = f"has {len(fields)} fields; the header has {len(columns)}"
            gathering.note("bad_row", f"{path.name}:{number}: {what}")


def whole_number(text: str) -> int:
    """A number such as a label's code or a count of votes.

    Raises:
        RowError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise RowError("bad_value", f"{quoted(text)} is no whole number")
    return int(text)


def _check_header(path: Path, names: list[str], needed: Sequence[str]) -> list[str]:
    missing = [name for name in needed if name not in names]
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {quoted(', '.join(names))}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} has two columns {quoted(twice)}; rename one")
    return names
