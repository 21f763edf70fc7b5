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
    """Write what a run has learnt, and check that it answers as the trained network."""
    from emolens.cli.extras import training_side
    from emolens.settings import find_run

    run = find_run(run)
    with training_side("to export"):
        from emolens.export.run import export_run

    card = export_run(run, out, format)
    parity = card.parity
    assert parity is not None
    typer.echo(
        f"{out}: {card.name} {card.version}, {out.stat().st_size / 1e6:.2f} MB; over {parity.crops} crops of the "
        f"training its probabilities differ from the network's by {parity.mean_difference:.2g} on average and "
        f"{parity.max_difference:.2g} at most, and {parity.agreement:.1%} of the decisions agree"
    )
