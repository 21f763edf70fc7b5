"""`emolens models`: which models there are, what they say of themselves, and getting or importing one."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from emolens.card_page.page import card_page, entry_page
from emolens.cli.extras import needing
from emolens.errors import EmolensError, ModelError
from emolens.text import printable

app = typer.Typer(
    name="models", help="List, show, download and import models.", no_args_is_help=True, add_completion=False
)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE")]


@app.command("list")
def list_models() -> None:
    """List the models that have a name: embedded, downloaded, or to be downloaded."""
    from emolens import zoo

    if not sys.stdout.isatty():
        print("\n".join(map(printable, zoo.names())))
        return

    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("name", "kind", "size", Column("where", no_wrap=True), box=box.SIMPLE)
    for name, path in zoo.embedded().items():
        table.add_row(name, zoo.card_of(path).kind, _size(path.stat().st_size), "embedded")
    for name, entry in zoo.entries().items():
        place = str(entry.path) if entry.path.is_file() else f"emolens models pull {name}"
        table.add_row(name, entry.kind, _size(entry.size), Text(printable(place)))
    for name, path in zoo.own().items():
        # Names of files are the user's, or of whoever sent them: no markup.
        table.add_row(Text(printable(name)), _kind(path), _size(path.stat().st_size), Text(printable(str(path))))
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
    text = json.dumps(about.model_dump(mode="json"), ensure_ascii=False, indent=2)
    print("".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text))


@app.command()
def pull(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Download a model into the cache and check that it is the right file."""
    from emolens import zoo

    print(zoo.pull(zoo.entry(name)))


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME|FILE", help="Without any: every model that is here.")
    ] = None,
) -> int:
    """Check that model files are what they should be: pulled ones to the byte, others by their card."""
    from emolens.verify import present
    from emolens.verify import verify as check

    code = 0
    for name in names or present():
        try:
            check(name)
        except EmolensError as fault:
            print(printable(f"emolens: {name}: {fault}"), file=sys.stderr)
            code = 1
        else:
            print(printable(f"{name}: ok"))
    return code


@app.command()
def push(
    file: Name,
    repository: Annotated[str, typer.Argument(metavar="OWNER/REPO", help="It is made if it is not there.")],
    path: Annotated[
        str | None, typer.Option(metavar="NAME.onnx", help="The file's name there.", show_default="its name here")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Let nobody else see it.")] = False,
) -> None:
    """Upload a model file to the Hugging Face hub, with its card as the README."""
    from emolens import zoo
    from emolens.verify import verify as check
    from emolens.zoo import hub

    check(file)
    found = zoo.find(file)
    print(hub.push(found, repository, path or found.name, _page(file), private))


@app.command("import")
def import_foreign(
    file: Annotated[Path, typer.Argument(help="An ONNX classifier, or a whole Keras model in HDF5.")],
    labels: Annotated[str, typer.Option(metavar="A,B,...", help="Its labels, in the order of its outputs.")],
    out: Annotated[Path, typer.Option(help="The model file to write.")],
    size: Annotated[
        int | None, typer.Option(help="Height and width of its input.", show_default="what the file says")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(metavar="1|3", help="Grey or RGB.", show_default="what the file says")
    ] = None,
    mean: Annotated[str, typer.Option(metavar="X[,X,X]", help="It takes (pixels / 255 - mean) / std.")] = "0",
    std: Annotated[str, typer.Option(metavar="X[,X,X]", help="Likewise; 0.00392157 for pixels in 0 to 255.")] = "1",
    layout: Annotated[
        Literal["nchw", "nhwc"] | None,
        typer.Option(help="Where its channels stand.", show_default="what the file's shape says"),
    ] = None,
    objective: Annotated[
        Literal["distribution", "multilabel"], typer.Option(help="One answer, or one per label.")
    ] = "distribution",
    kind: Annotated[Literal["face", "scene", "emoji", "generic"], typer.Option(help="What it looks at.")] = "face",
    name: Annotated[str | None, typer.Option(help="For its card.", show_default="the file's name")] = None,
) -> None:
    """Make a model file of a classifier that others made."""
    from emolens.export.foreign.about import About, parse_labels, parse_numbers

    about = About(
        labels=parse_labels(labels),
        kind=kind,
        objective=objective,
        name=name,
        size=size,
        channels=channels,
        layout=layout,
        mean=parse_numbers(mean, "--mean"),
        std=parse_numbers(std, "--std"),
    )
    with needing("import", "to import a model"):
        from emolens.export.foreign.importing import import_model

        card = import_model(file, about, out)
    taken = f"{card.input.height} x {card.input.width} x {card.input.channels}"
    line = (
        f"{out}: {card.name} {card.version}, {_size(out.stat().st_size)}; "
        f"takes {taken}, normalised as (pixels / 255 - {mean}) / {std}"
    )
    typer.echo(printable(line))


def _page(name: str) -> str:
    from emolens import zoo
    from emolens.session import file_hash

    path = zoo.find(name)
    return card_page(zoo.card_of(path), file_hash(path), path.stat().st_size)


def _kind(path: Path) -> str:
    """For the list, which must show a file that is at fault, too."""
    from emolens import zoo

    try:
        return zoo.card_of(path).kind
    except ModelError:
        return "no model file"


def _print_page(page: str) -> None:
    if not sys.stdout.isatty():
        print(page, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(page))


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
