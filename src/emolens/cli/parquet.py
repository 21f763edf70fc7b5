"""Results as a Parquet file: a row per image with what the JSON has, nested as it is there; the reasons are a map."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from emolens.results import Failure, Prediction
from emolens.text import encodable

# In memory at once.
_ROWS = 1000

_STEPS = ("decode", "detect", "classify", "total")


def write_parquet(results: Iterable[Prediction | Failure], file: BinaryIO, labels: Sequence[str]) -> None:
    """Writes all results; a failure has `input` and `error`, the others have no `error`.

    Args:
        results: taken one at a time.
        file: open for writing; it need not be one that can be searched.
        labels: of the model, in order.
    """
    schema = _schema(labels)
    with parquet.ParquetWriter(file, schema) as writer:
        remaining = iter(results)
        while rows := [_row(result) for result in islice(remaining, _ROWS)]:
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _schema(labels: Sequence[str]) -> pa.Schema:
    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    answer = {
        "dominant": text,
        "confidence": number,
        "emotions": texts,
        "probabilities": pa.struct(dict.fromkeys(labels, number)),
    }
    reasons = pa.map_(text, pa.struct({"allowed_by": texts, "blocked_by": texts}))
    reactions = {"allowed": texts, "blocked": texts, "suggested": texts, "reasons": reasons}
    return pa.schema(
        {
            "input": text,
            "model": text,
            "width": pa.int64(),
            "height": pa.int64(),
            "unsure": pa.bool_(),
            **answer,
            "faces": pa.list_(pa.struct({"box": pa.list_(number, 4), "score": number, **answer})),
            "reactions": pa.struct(reactions),
            "milliseconds": pa.struct(dict.fromkeys(_STEPS, number)),
            "error": pa.struct({"code": text, "message": text}),
        }
    )


def _row(result: Prediction | Failure) -> dict[str, Any]:
    row = result.to_dict()
    row["input"] = encodable(row["input"])
    if isinstance(result, Failure):
        row["error"]["message"] = encodable(result.message)
    else:
        row["reactions"]["reasons"] = list(row["reactions"]["reasons"].items())
    return row
