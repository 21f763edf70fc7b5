"""`emolens feedback`: look after what people have said of predictions, and make training data of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emolens.errors import ConfigError

if TYPE_CHECKING:
    from emolens.feedback import Store

app = typer.Typer(
    name="feedback",
    help="Look after what people have said of predictions, and make training data of it.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def migrate(
    to: Annotated[str, typer.Option(metavar="REVISION", help="`head` is the newest; an older one goes back.")] = "head",
) -> None:
    """Make the tables of the database, or bring them to a revision."""
    from emolens.cli.extras import needing

    with needing("feedback", "to keep feedback"):
        from emolens.feedback.database import default_url, open_engine, shown
        from emolens.feedback.migrate import migrate as bring
        from emolens.feedback.migrate import revisions

    if to not in ("head", *revisions()):
        raise ConfigError(f"there is no revision '{to}'; there are head, {', '.join(revisions())}")
    engine = open_engine(default_url())
    before, after = bring(engine, to)
    typer.echo(f"{shown(engine.url)}: {before or 'nothing'} -> {after}", err=True)
    engine.dispose()


@app.command()
def export(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The new folder to write to.")],
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The model that will be trained on: its labels, its crops.")
    ] = "face",
) -> None:
    """Write the pictures that people have agreed to, with what they said of them, as a dataset for `emolens train`."""
    from emolens import zoo
    from emolens.errors import DataError

    card = zoo.card_of(zoo.find(model))
    with _store() as store:
        from emolens.feedback.export import export as write

        done = write(store.kept(), card, out)
    for reason, count in done.left_out.items():
        typer.echo(f"left out, {reason}: {count:,}", err=True)
    if not done.pictures:
        raise DataError("nobody has sent a picture with their consent that this model could learn from")
    typer.echo(f"{out}: {done.pictures:,} pictures, {done.answers:,} answers", err=True)
    typer.echo(f"Next: emolens train own-faces --set data.dataset=csv --data {out} --out RUN", err=True)


@app.command()
def purge(
    older_than: Annotated[str, typer.Option(metavar="SPAN", help="Such as 12h, 90d, 8w or 1y.")] = "90d",
) -> None:
    """Remove the answers, and their pictures, that are older."""
    with _store() as store:
        from emolens.feedback.duration import parse_duration

        typer.echo(f"removed: {store.purge(parse_duration(older_than)):,}", err=True)


@app.command()
def delete(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The id that it was sent with.")],
) -> None:
    """Remove one answer and its picture."""
    with _store() as store:
        if not store.delete(client_id):
            raise ConfigError("there is no answer with this id; nothing was removed")
    typer.echo("removed: 1", err=True)


def _store() -> "Store":
    from emolens.cli.extras import needing

    with needing("feedback", "to keep feedback"):
        from emolens.feedback import Store
    return Store.open()
