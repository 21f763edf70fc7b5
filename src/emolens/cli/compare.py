"""`emolens compare`: whether one model is better than another, or luckier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emolens.cli.terminal import figures_table
from emolens.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from emolens.evaluation.bootstrap import Difference

Metrics = Annotated[Path, typer.Argument(metavar="METRICS.json", help="What `emolens evaluate ... --out` wrote.")]


def compare(first: Metrics, second: Metrics) -> None:
    """Print by how much the figures of two models differ on the samples that both were measured on."""
    from rich.console import Console

    from emolens.cli.extras import needing

    with needing("evaluate", "to compare evaluations"):
        from emolens.evaluation.compare import compare as pair

    comparison = pair(first, second)
    (a, b), (only_a, only_b) = comparison.models, comparison.left_out
    console = Console(highlight=False, markup=False)
    heading = (
        f"A: {printable(f'{a} ({first})')}\nB: {printable(f'{b} ({second})')}\n{comparison.shared:,} samples in both; "
        f"left out: {only_a:,} only in A, {only_b:,} only in B"
    )
    console.print(heading, soft_wrap=True)
    console.print(_table(comparison.differences))


def _table(differences: "dict[str, Difference]") -> "Table":
    table = figures_table("figure", "A", "B", "B - A", "95 % interval", "p")
    for name, one in differences.items():
        gap, interval = f"{one.second - one.first:+.4f}", f"{one.low:+.4f} to {one.high:+.4f}"
        table.add_row(name, f"{one.first:.4f}", f"{one.second:.4f}", gap, interval, f"{one.p:.3f}")
    return table
