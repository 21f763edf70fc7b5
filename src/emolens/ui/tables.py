"""Many results as a table: what the page shows of it, and the files that hold it."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emolens.results import Failure, Prediction
from emolens.rows import columns, row
from emolens.ui.words import named

if TYPE_CHECKING:
    import pandas

Results = Sequence[Prediction | Failure]

# Shown where there is no picture, for which the table would otherwise say "None".
NO_PICTURE = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 16 16">'
        b'<rect width="16" height="16" rx="2" fill="#8883"/>'
        b'<path d="M5 5l6 6M11 5l-6 6" stroke="#888" stroke-linecap="round"/></svg>'
    ).decode()
)

NO_FACE, FAILED, UNSURE = "🔍 no face", "⚠️ not read", "🤷 not sure"


def verdict(result: Prediction | Failure) -> str:
    """The answer in a word or two; what the table is filtered by."""
    if isinstance(result, Failure):
        return FAILED
    if result.dominant is None:
        return NO_FACE
    return UNSURE if result.unsure else named(result.dominant)


def shown_rows(results: Results, thumbnails: Sequence[bytes]) -> list[dict[str, Any]]:
    """The rows that the page shows.

    Args:
        results: one per row.
        thumbnails: their pictures, JPEG; empty where there is none.
    """
    return [_shown(result, picture) for result, picture in zip(results, thumbnails, strict=True)]


def to_csv(results: Results) -> str:
    """As `emolens predict --format csv --show-scores` writes it."""
    labels = _labels(results)
    file = io.StringIO()
    writer = csv.DictWriter(file, columns(labels), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(result, labels) for result in results)
    return file.getvalue()


def to_parquet(results: Results) -> bytes:
    """The same columns, with numbers as numbers."""
    file = io.BytesIO()
    _frame(results).to_parquet(file, index=False)
    return file.getvalue()


def _frame(results: Results) -> "pandas.DataFrame":
    import pandas

    labels = _labels(results)
    frame = pandas.DataFrame([row(result, labels) for result in results], columns=columns(labels))
    whole = dict.fromkeys(("width", "height", "faces"), "Int64")
    numbers = dict.fromkeys(("confidence", *labels), "float64")
    texts = dict.fromkeys(set(frame.columns) - {*whole, *numbers}, "string")
    return frame.astype({**whole, **numbers, **texts})


def _labels(results: Results) -> list[str]:
    first = next((result for result in results if isinstance(result, Prediction)), None)
    return [] if first is None else list(first.probabilities)


def _shown(result: Prediction | Failure, thumbnail: bytes) -> dict[str, Any]:
    source = f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode()}"
    cells = {"photo": source if thumbnail else NO_PICTURE, "name": result.input, "answer": verdict(result)}
    if isinstance(result, Failure):
        return {**cells, "problem": result.message}
    return {
        **cells,
        "sure": None if result.confidence is None else round(100 * result.confidence),
        "faces": len(result.faces),
        "reactions": " ".join(result.reactions.suggested),
        "problem": "",
    }
