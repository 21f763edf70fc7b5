"""`emolens models`: which models there are, what they say of themselves, and getting one."""

import json
import sys
from typing import Annotated

import typer

from emolens.card_page.page import card_page, entry_page

app = typer.Typer(name="models", help="List, show and download models.", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE")]


@app.command("list")
def list_models() -> None:
    """List the models that have a name: embedded, downloaded, or to be downloaded."""
    from emolens import zoo

    if not sys.stdout.isatty():
        print("\n".join(zoo.names()))
        return

    from rich import box
    from rich.console import Console
    from rich.table import Column, Table

    table = Table("name", "kind", "size", Column("where", no_wrap=True), box=box.SIMPLE)
    for name, path in zoo.embedded().items():
        table.add_row(name, zoo.card_of(path).kind, _size(path.stat().st_size), "embedded")
    for name, entry in zoo.entries().items():
        place = str(entry.path) if entry.path.is_file() else f"emolens models pull {name}"
        table.add_row(name, entry.kind, _size(entry.size), place)
    Console().print(table)


@app.command()
def show(
    name: Name,
    card: Annotated[bool, typer.Option("--card", help="As a page to read: Markdown, drawn on a terminal.")] = False,
) -> None:
    """Print a model's card, or what is known of one that emolens did not make, as JSON or as a page."""
    from emolens import zoo

    known = zoo.entries().get(name)
    if card:
        _print_page(_page(name) if known is None else entry_page(known))
        return
    about = zoo.card_of(zoo.find(name)) if known is None else known
    print(json.dumps(about.model_dump(mode="json"), ensure_ascii=False, indent=2))


@app.command()
def pull(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Download a model into the cache and check that it is the right file."""
    from emolens import zoo

    print(zoo.pull(zoo.entry(name)))


def _page(name: str) -> str:
    from emolens import zoo
    from emolens.runtime import file_hash

    path = zoo.find(name)
    return card_page(zoo.card_of(path), file_hash(path), path.stat().st_size)


def _print_page(page: str) -> None:
    if not sys.stdout.isatty():
        print(page, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(page))


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
