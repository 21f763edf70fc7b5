"""The Parquet table that holds FER2013 and FER+ side by side, one row per image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emolens.errors import DataError, MissingExtraError

COMMON = ("row", "usage", "png", "leak")


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of the table, each with `COMMON` and `columns`.

    Raises:
        DataError: the file is no Parquet, or lacks a column.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("evaluate", "to read Parquet datasets") from None
    wanted = [*COMMON, *columns]
    try:
        present = pyarrow.parquet.read_schema(path).names
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is no Parquet file: {error}") from None
    missing = [column for column in wanted if column not in present]
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(present)}")
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path, columns=wanted).to_pylist()
    return rows
