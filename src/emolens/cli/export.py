"""`emolens export`: a run into a model file."""

from pathlib import Path
from typing import Annotated

import typer

from emolens.export.formats import Format


def export(
    run: Annotated[Path, typer.Argument(help="The directory of a finished training, or a checkpoint in it.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.onnx,
) -> None:
    """Write the model file of a run."""
    from emolens.cli.extras import training_side
    from emolens.settings import find_run

    run = find_run(run)
    with training_side("to export"):
        from emolens.export.run import export_run

    card = export_run(run, out, format)
    typer.echo(f"{out}: {card.name} {card.version}, {out.stat().st_size / 1e6:.2f} MB")
