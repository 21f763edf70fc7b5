"""The Parquet table that holds FER2013 and FER+ side by side, one row per image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emolens.data.readers.gathering import Gathering
from emolens.data.readers.parquet import read_parquet
from emolens.errors import DataError

COMMON = {"row": "int64", "usage": "string", "png": "binary", "leak": "bool"}
_NULL_WITHOUT_A_FACE = ("png", "label")


def read_table(path: Path, columns: Mapping[str, str], gathering: Gathering) -> list[dict[str, Any]]:
    """The rows that the gathering wants, each with `COMMON` and `columns`.

    Args:
        path: the Parquet file.
        columns: further columns, each with its Arrow type.
        gathering: says which split; it is told of those that are read.

    Raises:
        DataError: the file is no Parquet, lacks a column or a value, or has no such split.
    """
    types = {**COMMON, **columns}
    table = read_parquet(path, list(types), "usage", gathering.wanted.split)
    import pyarrow as pa  # is there, now that the table has been read

    schema = pa.schema(
        [pa.field(name, pa.type_for_alias(kind), name in _NULL_WITHOUT_A_FACE) for name, kind in types.items()]
    )
    try:
        rows: list[dict[str, Any]] = table.cast(schema).to_pylist()
    except (ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path} is not the table that FER2013 is read from: {reason}; fetch or make it again"
        ) from None
    return [row for row in rows if gathering.wants(row["usage"])]
