"""Results as a table, JSON, JSON lines or CSV; all but the table are written as they come."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TextIO

from emolens.results import Failure, Prediction
from emolens.rows import columns, row
from emolens.text import percent, printable

Format = Literal["table", "json", "jsonl", "csv"]

Results = Iterable[Prediction | Failure]


def write(format: Format, results: Results, stream: TextIO, labels: Sequence[str], show_scores: bool) -> None:
    """Writes all results to `stream`.

    Args:
        format: how.
        results: taken one at a time.
        stream: text, UTF-8.
        labels: of the model, in order.
        show_scores: adds the probabilities to the table and the CSV; JSON always has them.
    """
    _WRITERS[format](results, stream, labels if show_scores else ())


def _json(results: Results, stream: TextIO, labels: Sequence[str]) -> None:  # noqa: ARG001
    separator = "[\n"
    for result in results:
        stream.write(separator + _dumped(result))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")


def _jsonl(results: Results, stream: TextIO, labels: Sequence[str]) -> None:  # noqa: ARG001
    for result in results:
        stream.write(_dumped(result) + "\n")
        stream.flush()


def _dumped(result: Prediction | Failure) -> str:
    return json.dumps(result.to_dict(), ensure_ascii=False)


def _csv(results: Results, stream: TextIO, labels: Sequence[str]) -> None:
    writer = csv.DictWriter(stream, columns(labels), lineterminator="\n")
    writer.writeheader()
    for result in results:
        writer.writerow(row(result, labels))


def _table(results: Results, stream: TextIO, labels: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    for header in ("image", "faces", "emotions", "reactions", "blocked", "ms"):
        table.add_column(header, justify="right" if header in ("faces", "ms") else "left", overflow="fold")
    if labels:
        table.add_column("scores", no_wrap=True)
    for result in results:
        if isinstance(result, Prediction):
            # Text, because a file name may hold what rich takes for markup.
            table.add_row(*map(Text, _table_row(result, labels)))
    if table.row_count:
        # Only a terminal has a width that lines must be folded to.
        Console(file=stream, width=None if stream.isatty() else 1000).print(table)


def _table_row(prediction: Prediction, labels: Sequence[str]) -> tuple[str, ...]:
    row = (
        printable(prediction.input),
        str(len(prediction.faces)),
        _emotions(prediction),
        " ".join(prediction.reactions.suggested),
        " ".join(prediction.reactions.blocked),
        f"{prediction.milliseconds['total']:.0f}",
    )
    scores = sorted(prediction.probabilities.items(), key=lambda score: -score[1])
    return (*row, "\n".join(f"{percent(value):>4} {label}" for label, value in scores)) if labels else row


def _emotions(prediction: Prediction) -> str:
    if prediction.dominant is None:
        return "no face"
    found = ", ".join(f"{label} {percent(prediction.probabilities[label])}" for label in prediction.emotions)
    found = found or f"none is clear ({prediction.dominant} {percent(prediction.confidence or 0)})"
    return printable(f"{found}, unsure" if prediction.unsure else found)


_WRITERS: dict[Format, Callable[[Results, TextIO, Sequence[str]], None]] = {
    "table": _table,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
}
