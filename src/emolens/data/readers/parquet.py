"""Parquet tables, of which only the wanted columns and split are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emolens.data.samples import check_split
from emolens.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow


def read_parquet(path: Path, columns: Sequence[str], split_column: str, split: str | None) -> "pyarrow.Table":
    """Those columns, in that order, of the rows of one split, or of all.

    Raises:
        DataError: the file is missing, is no Parquet, lacks a column, or has no such split.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("evaluate", "to read Parquet datasets") from None
    if not path.is_file():
        raise DataError(f"no data at {path}; give the table with --data")
    try:
        present = pq.read_schema(path).names
        missing = [column for column in columns if column not in present]
        if missing:
            raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(present)}")
        if split is not None:
            splits = pc.unique(pq.read_table(path, columns=[split_column])[split_column]).drop_null()
            check_split(str(path), split, splits.cast("string").to_pylist())
        filters = None if split is None else [(split_column, "==", split)]
        return pq.read_table(path, columns=list(columns), filters=filters).select(list(columns))
    except (ValueError, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} is no Parquet file that can be read: {reason}; fetch or make it again") from None
