"""What a card's metrics say, as tables; and for whom they say nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from emolens.card_page.markdown import bullets, table, text

Rows = dict[str, dict[str, float]]
"""Figures by what they were measured on."""

# A recall of fewer samples is mostly chance.
_FEW = 30
_LARGEST_INT = 10**15

# Where the rows are, what one is, the figure by which they differ, and that of its samples.
_COMPARED = (
    ("per_class", "label", "recall", "support"),
    ("slices", "slice", "accuracy", "n"),
    ("slices", "slice", "subset_accuracy", "n"),
)

_NOT_MEASURED = (
    "Not measured: whether it does worse for some groups of people. Unless a slice names one, nothing is on record of "
    "age, sex, skin tone, culture or disability, so that differences between groups are unknown, not absent."
)
_MEASURE = (
    "Measure it on people like those you will meet: `emolens evaluate` slices by every column of metadata that a table "
    "has."
)

_ABOUT_VOTES = (
    "`ece` holds confidence against agreeing with the majority, `vote_ece` against the share of the votes. Whoever "
    "knows the votes agrees with the majority more often than they are confident, so that a good `ece` is not zero."
)


def measurements(metrics: Mapping[str, Any]) -> str:
    """Every measurement of a card in Markdown: its figures, those of each label, and those of each slice.

    Args:
        metrics: a card's; anything may stand in it, and what is no figure is left out.
    """
    return "\n\n".join(part for name, one in metrics.items() if isinstance(one, Mapping) for part in _tables(name, one))


def found_bias(metrics: Mapping[str, Any], kind: str) -> str:
    """Between which labels and slices a card's figures differ most, and what they cannot tell, in Markdown.

    Args:
        metrics: as of `measurements`.
        kind: of the model.
    """
    found = [line for name, one in metrics.items() if isinstance(one, Mapping) for line in _differences(name, one)]
    return bullets([*found, _NOT_MEASURED, *([] if kind == "detector" else [_MEASURE])])


def _tables(name: str, measured: Mapping[str, Any]) -> Iterator[str]:
    figures = _figures(measured)
    yield f"### {text(name[:1].upper() + name[1:])}"
    if figures:
        intervals = _intervals(measured.get("intervals"))
        header = ("figure", "value", "95 % interval") if intervals else ("figure", "value")
        cells = ((_words(key), _shown(value), intervals.get(key, "")) for key, value in figures.items())
        yield table(header, (row[: len(header)] for row in cells))
    if "vote_ece" in figures:
        yield _ABOUT_VOTES
    for key, heading in (("per_class", "label"), ("slices", "slice")):
        rows = _rows(measured.get(key))
        columns = dict.fromkeys(column for row in rows.values() for column in row)
        if columns:
            lines = ((text(what), *(_shown(row.get(column)) for column in columns)) for what, row in rows.items())
            yield table((heading, *map(_words, columns)), lines)


def _differences(name: str, measured: Mapping[str, Any]) -> Iterator[str]:
    for key, what, figure, count in _COMPARED:
        rows = {one: row for one, row in _rows(measured.get(key)).items() if figure in row and row.get(count, 1) > 0}
        if len(rows) > 1:
            worst, *_, best = sorted(rows, key=lambda one: rows[one][figure])
            told = (f"{_shown(rows[one][figure])} ({text(one)}{_note(rows[one].get(count))})" for one in (worst, best))
            yield f"By {what}, on {text(name)}: {_words(figure)} from {' to '.join(told)}."


def _note(count: float | None) -> str:
    if count is None:
        return ""
    return f", {_shown(count)} samples{', too few to tell' if count < _FEW else ''}"


def _intervals(found: Any) -> dict[str, str]:
    """As words, of the figures that have one: `[low, high]`."""
    told = {}
    for figure, ends in found.items() if isinstance(found, Mapping) else ():
        match ends:
            case [float(low), float(high)]:
                told[figure] = f"{_shown(low)} to {_shown(high)}"
    return told


def _rows(found: Any) -> Rows:
    rows = found.items() if isinstance(found, Mapping) else ()
    return {str(name): _figures(row) for name, row in rows if isinstance(row, Mapping)}


def _figures(found: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: value for key, value in found.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _words(key: str) -> str:
    return text(key.replace("_", " "))


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < _LARGEST_INT else "very large"
    return f"{value:.4g}" if abs(value) >= 10 else f"{value:.3f}"
