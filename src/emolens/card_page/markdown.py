"""Markdown out of texts that others wrote: whatever signs they hold, they stay text."""

import re
from collections.abc import Iterable, Sequence

# What Markdown, or HTML within it, could take for more than text.
_SIGNS = re.compile(r"([\\`*_{}\[\]<>|~!&$])")
# What begins a list, a heading or a rule where it stands first.
_BEGINNING = re.compile(r"^(\d*)([.)](?= |$)|(?<!\d)[-+#=:])")


def text(value: str) -> str:
    """The value in one line, shown as it is; what could steer a terminal is written as an escape."""
    line = " ".join(value.split())
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
    return _BEGINNING.sub(r"\1\\\2", _SIGNS.sub(r"\\\1", shown))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: bool = True) -> str:
    """A table of cells that are Markdown already; with `right`, all columns but the first stand to the right."""
    rule = ["---", *(("---:" if right else "---") for _ in header[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def bullets(items: Iterable[str]) -> str:
    """A list of lines that are Markdown already."""
    return "\n".join(f"- {item}" for item in items)
