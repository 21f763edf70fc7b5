"""`emolens evaluate`: how good a model is on a dataset."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emolens.cli.terminal import figures_table
from emolens.runtime import Device

if TYPE_CHECKING:
    from rich.table import Table

    from emolens.evaluation.evaluate import Evaluation

_FIGURES = {
    "accuracy": "accuracy",
    "top2_accuracy": "top-2 accuracy",
    "macro_f1": "macro F1",
    "nll": "NLL",
    "brier": "Brier score",
    "ece": "ECE, against being right",
    "vote_ece": "ECE, against the share of votes",
    "kl": "KL from the votes",
}


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name or file.")],
    dataset: Annotated[str, typer.Option(help="The name of a dataset's layout, such as ferplus or fer2013.")],
    data: Annotated[Path, typer.Option(help="The dataset's file or folder.")],
    split: Annotated[str | None, typer.Option(help="Only this split, such as PublicTest.", show_default="all")] = None,
    keep_leaks: Annotated[
        bool, typer.Option("--keep-leaks", help="Also rows whose image stands in an earlier split, too.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Stop at faults in the data, such as missing files, instead of naming them."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A folder to write metrics.json to.", show_default=False)] = None,
    device: Annotated[Device, typer.Option(help="Where the model runs.")] = "auto",
) -> None:
    """Measure a model on a dataset; print a summary, and write every figure to OUT/metrics.json."""
    from rich.console import Console

    from emolens.data.readers import read_dataset
    from emolens.evaluation.evaluate import evaluate as measure
    from emolens.runtime import OnnxModel
    from emolens.settings import find_data
    from emolens.zoo import find

    data = find_data(data)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # now, so that a bad path costs no evaluation
    samples = read_dataset(dataset, data, split, keep_leaks, strict=strict)
    evaluation = measure(OnnxModel(find(model), device), samples)
    if strict:
        evaluation.dataset.check_faultless()  # again, since images that cannot be read are found on the way
    saved = evaluation.save(out) if out is not None else None  # first, since whoever reads the summary may stop early
    if evaluation.dataset.faults:
        print(evaluation.dataset.fault_report, file=sys.stderr)
    console = Console(highlight=False, markup=False)
    console.print(_heading(evaluation), soft_wrap=True)
    console.print(_summary(evaluation.metrics))
    console.print(_per_class(evaluation.metrics))
    if saved is not None:
        print(f"{saved} holds every figure", file=sys.stderr)


def _heading(evaluation: "Evaluation") -> str:
    from emolens.evaluation.evaluate import describe_left_out

    model, dataset = evaluation.model, evaluation.dataset
    return (
        f"{model['name']} {model['version']} on {dataset.name} {evaluation.split}: {len(dataset):,} samples; "
        f"left out: {describe_left_out(dataset)}"
    )


def _summary(metrics: Mapping[str, Any]) -> "Table":
    table = figures_table("", "value")
    for key, meaning in _FIGURES.items():
        if key in metrics:
            table.add_row(meaning, f"{metrics[key]:.4f}")
    return table


def _per_class(metrics: Mapping[str, Any]) -> "Table":
    table = figures_table("label", "precision", "recall", "F1", "samples")
    for label, scores in metrics["per_class"].items():
        figures = (f"{scores[key]:.4f}" for key in ("precision", "recall", "f1"))
        table.add_row(label, *figures, f"{scores['support']:,}")
    return table
