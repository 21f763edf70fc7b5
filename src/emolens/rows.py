"""One image's result as a row of a table, as files that spreadsheets read hold it."""

from collections.abc import Sequence
from typing import Any

from emolens.results import Failure, Prediction

_COLUMNS = ("input", "width", "height", "faces", "dominant", "confidence", "unsure", "emotions", "allowed", "blocked")


def columns(labels: Sequence[str]) -> list[str]:
    """The header; `labels` are those whose probabilities have a column."""
    return [*_COLUMNS, *labels, "error_code", "error"]


def row(result: Prediction | Failure, labels: Sequence[str]) -> dict[str, Any]:
    """The cells that have a value, by column."""
    if isinstance(result, Failure):
        return {"input": result.input, "error_code": result.code, "error": result.message}
    values = result.to_dict()
    values |= {
        "faces": len(result.faces),
        "unsure": "true" if result.unsure else "false",
        "emotions": " ".join(result.emotions),
        "allowed": " ".join(result.reactions.allowed),
        "blocked": " ".join(result.reactions.blocked),
    }
    return {column: values[column] for column in _COLUMNS} | {label: values["probabilities"][label] for label in labels}
