"""`emolens calibrate`: probabilities that mean what they say, and answers that admit to be unsure."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emolens.cli.terminal import figures_table
from emolens.evaluation.names import NAMES
from emolens.text import printable_lines

if TYPE_CHECKING:
    from rich.table import Table

    from emolens.card import ModelCard

_FIGURES = ("nll", "brier", "ece", "adaptive_ece", "vote_ece")


def calibrate(
    model: Annotated[str, typer.Argument(help="A model's name or file, a run, or a checkpoint.")],
    dataset: Annotated[
        str, typer.Option(help="The name of a dataset's layout; or a run, for the rows that it held out.")
    ],
    data: Annotated[Path, typer.Option(help="The dataset's file or folder.")],
    out: Annotated[Path, typer.Option(help="The model file to write; may be the one that was read.")],
    split: Annotated[
        str | None, typer.Option(help="One that the model has not learnt from; not for a run.", show_default=False)
    ] = None,
    method: Annotated[
        Literal["temperature", "expectation-consistency", "vector", "isotonic"],
        typer.Option(help="One number for all labels (of two kinds), two for each, or a rising function for each."),
    ] = "temperature",
    risk: Annotated[
        float | None,
        typer.Option(metavar="X", help="The share of wrong answers accepted; less confident answers become unsure."),
    ] = None,
) -> None:
    """Fit a model's confidence to what is true, and write it as a model file of its own."""
    from rich.console import Console

    from emolens.cli.extras import needing
    from emolens.cli.sources import model_file, open_dataset, run_named
    from emolens.errors import ConfigError
    from emolens.runtime import OnnxModel
    from emolens.settings import find_data

    if split is None and run_named(dataset) is None:
        raise ConfigError("name a --split that the model has not learnt from, such as val or PublicTest")
    if out.is_dir() or not out.name:
        raise ConfigError(f"{out} is a folder; write --out {out / 'calibrated.onnx'}")
    with needing("evaluate", "to calibrate"):
        from emolens.evaluation.calibrate import calibrate as fit
        from emolens.export.container import change_card

    with model_file(model) as path:
        card = fit(OnnxModel(path), open_dataset(dataset, find_data(data), split), method, risk)
        change_card(path, card, out)
    console = Console(highlight=False, markup=False)
    console.print(printable_lines(_heading(card)), soft_wrap=True)
    console.print(_figures(card))
    print(f"{out} is the calibrated model", file=sys.stderr)


def _heading(card: "ModelCard") -> str:
    assert card.calibration is not None
    what = {
        "temperature": f"temperature {card.temperature:g}",
        "expectation-consistency": f"temperature {card.temperature:g}",
        "vector": "a factor and a shift per label",
        "isotonic": "a rising function per label",
    }[card.calibration.method]
    fitted = card.calibration
    lines = [f"{card.name} {card.version} on {fitted.fitted_on}, {fitted.samples:,} samples: {what}"]
    if card.abstention is not None:
        point = card.abstention
        lines.append(
            f"unsure under a confidence of {point.threshold:.4f}: answers {point.coverage:.1%} of the samples, "
            f"{point.risk:.1%} of them wrongly"
        )
    lines += [f"threshold of {label}: {threshold:.4f}" for label, threshold in card.thresholds.items()]
    return "\n".join(lines)


def _figures(card: "ModelCard") -> "Table":
    assert card.calibration is not None
    table = figures_table("", "before", "after")
    for key in _FIGURES:
        if key in card.calibration.after:
            table.add_row(NAMES[key], f"{card.calibration.before[key]:.4f}", f"{card.calibration.after[key]:.4f}")
    return table
