"""`emolens evaluate`: how good a model is on a dataset."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from emolens.cli.options import Device, Views, Weights
from emolens.cli.terminal import figures_table
from emolens.evaluation.names import NAMES
from emolens.text import printable, printable_lines

if TYPE_CHECKING:
    from rich.table import Table

    from emolens.evaluation.evaluate import Evaluation

_FIGURES = (
    *("accuracy", "subset_accuracy", "mean_average_precision", "top2_accuracy", "macro_f1", "micro_f1", "weighted_f1"),
    *("nll", "brier", "ece", "vote_ece", "kl"),
)


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name or file, a run, or a checkpoint.")],
    dataset: Annotated[
        str,
        typer.Option(help="The name of a dataset's layout, such as ferplus; or a run: the rows that it held out."),
    ],
    data: Annotated[Path, typer.Option(help="The dataset's file or folder.")],
    split: Annotated[str | None, typer.Option(help="Only this split, such as PublicTest.", show_default="all")] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The label set to compare over.", show_default="what data and model share"),
    ] = None,
    source: Annotated[
        Literal["crop", "photo"],
        typer.Option("--from", help="photo: a detector must find the faces first; a missed one counts as wrong."),
    ] = "crop",
    detector: Annotated[str, typer.Option(metavar="NAME|FILE", help="The detector of --from photo.")] = "detector",
    others: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME|FILE", help="Another model; all answer together.")
    ] = None,
    weight: Weights = None,
    tta: Views = None,
    keep_leaks: Annotated[
        bool, typer.Option("--keep-leaks", help="Also rows whose image stands in an earlier split, too.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Stop at faults in the data, such as missing files, instead of naming them."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A folder to write the report to.", show_default=False)] = None,
    device: Device = "auto",
) -> None:
    """Measure a model on a dataset; print a summary, and write figures, predictions, plots and a report to OUT."""
    from rich.console import Console

    from emolens.cli.extras import needing
    from emolens.cli.sources import model_file, open_dataset
    from emolens.labels import label_set
    from emolens.predictor import open_classifier, open_detector
    from emolens.settings import find_data

    with needing("evaluate", "to evaluate"):
        from emolens.evaluation.evaluate import evaluate as measure
        from emolens.evaluation.report import write_report

    data, over = find_data(data), None if labels is None else label_set(labels)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # now, so that a bad path costs no evaluation
    with ExitStack() as files:
        paths = [files.enter_context(model_file(name)) for name in (model, *(others or ()))]
        classifier = open_classifier(paths, weight, tta, device)
        finder = open_detector(detector, device=device) if source == "photo" else None
        samples = open_dataset(dataset, data, split, keep_leaks, strict)
        evaluation = measure(classifier, samples, over, finder)
    if strict:
        evaluation.dataset.check_faultless()  # again, since images that cannot be read are found on the way
    saved = evaluation.save(out) if out is not None else None  # first, since whoever reads the summary may stop early
    if evaluation.dataset.faults:
        print(printable_lines(evaluation.dataset.fault_report), file=sys.stderr)
    console = Console(highlight=False, markup=False)
    console.print(_heading(evaluation), soft_wrap=True)
    console.print(_summary(evaluation.metrics))
    console.print(_per_class(evaluation.metrics))
    if saved is not None:
        print(f"{write_report(evaluation, saved.parent)} shows it; {saved} holds every figure", file=sys.stderr)


def _heading(evaluation: "Evaluation") -> str:
    from emolens.evaluation.evaluate import describe_left_out

    model, dataset = evaluation.model, evaluation.dataset
    missed = evaluation.metrics.get("missed")
    found = "" if missed is None else f"faces not found, which count as wrong: {missed:,}; "
    views = f" (--tta {model['tta']})" if "tta" in model else ""
    return printable(
        f"{model['name']} {model['version']}{views} on {dataset.name} {evaluation.split}: {len(dataset):,} samples; "
        f"{found}left out: {describe_left_out(dataset)}"
    )


def _summary(metrics: Mapping[str, Any]) -> "Table":
    table = figures_table("", "value", "95 % interval")
    for key in _FIGURES:
        if key in metrics:
            low, high = metrics["intervals"][key]
            table.add_row(NAMES[key], f"{metrics[key]:.4f}", f"{low:.4f} to {high:.4f}")
    return table


def _per_class(metrics: Mapping[str, Any]) -> "Table":
    table = figures_table("label", "precision", "recall", "F1", "samples")
    for label, scores in metrics["per_class"].items():
        figures = (f"{scores[key]:.4f}" for key in ("precision", "recall", "f1"))
        table.add_row(printable(label), *figures, f"{scores['support']:,}")
    return table
