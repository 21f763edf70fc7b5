"""The Parquet table that holds FER2013 and FER+ side by side, one row per image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emolens.data.samples import check_split
from emolens.errors import DataError, MissingExtraError

COMMON = {"row": "int64", "usage": "string", "png": "binary", "leak": "bool"}
_NULL_WITHOUT_A_FACE = ("png", "label")


def read_table(path: Path, columns: Mapping[str, str], split: str | None) -> list[dict[str, Any]]:
    """The rows of one split, or of all, each with `COMMON` and `columns`.

    Args:
        path: the Parquet file.
        columns: further columns, each with its Arrow type.
        split: as in `usage`.

    Raises:
        DataError: the file is no Parquet, lacks a column or a value, or has no such split.
    """
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("evaluate", "to read Parquet datasets") from None
    types = {**COMMON, **columns}
    schema = pa.schema(
        [pa.field(name, pa.type_for_alias(kind), name in _NULL_WITHOUT_A_FACE) for name, kind in types.items()]
    )
    try:
        present = pq.read_schema(path).names
        missing = [column for column in types if column not in present]
        if missing:
            raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(present)}")
        if split is not None:
            splits = pc.unique(pq.read_table(path, columns=["usage"])["usage"]).drop_null()
            check_split(str(path), split, splits.cast("string").to_pylist())
        filters = None if split is None else [("usage", "==", split)]
        table = pq.read_table(path, columns=list(types), filters=filters)
        rows: list[dict[str, Any]] = table.select(list(types)).cast(schema).to_pylist()
    except (ValueError, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path} is not the table that FER2013 is read from: {reason}; fetch or make it again"
        ) from None
    return rows
