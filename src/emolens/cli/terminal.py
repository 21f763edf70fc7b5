"""What several commands show on a terminal: tables of figures, and a progress bar."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.table import Table

_Item = TypeVar("_Item")


def figures_table(first: str, *others: str) -> "Table":
    """An empty table of a column of names and right-aligned columns of figures."""
    from rich import box
    from rich.table import Table

    table = Table(first, box=box.SIMPLE)
    for name in others:
        table.add_column(name, justify="right")
    return table


def tracked(items: Iterable[_Item], total: int) -> Iterable[_Item]:
    """The items, with a bar where stderr is a terminal and there is more than one."""
    if not sys.stderr.isatty() or total < 2:
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, "", total, console=Console(stderr=True), transient=True)
