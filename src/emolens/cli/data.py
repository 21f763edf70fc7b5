"""`emolens data`: which layouts are read, what a dataset holds, and crops that are cut once for many trainings."""

import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emolens.cli.terminal import figures_table, tracked
from emolens.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from emolens.data.describe import Copies, Description
    from emolens.data.samples import Dataset

app = typer.Typer(name="data", help="Look at datasets and prepare them.", no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option(help="The dataset's file or folder.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe: --set data.dataset=rafdb."),
]

_NAMED = 5
"""How many groups of copies the text names, and how many samples of each; JSON has all."""


@app.command("list")
def list_readers() -> None:
    """List the layouts of datasets that are read: what --dataset and a recipe's data.dataset can be."""
    from emolens.data.readers import READERS

    if not sys.stdout.isatty():
        print("\n".join(READERS))
        return
    table = figures_table("name", "what")
    for name, read in READERS.items():
        table.add_row(name, (sys.modules[read.__module__].__doc__ or "").partition("\n")[0])
    _print(table)


@app.command()
def describe(
    dataset: Annotated[str, typer.Option(help="The name of a dataset's layout; `emolens data list` has them.")],
    data: Data,
    format: Annotated[Literal["text", "json"], typer.Option(help="How to write it.")] = "text",
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw a row of pictures for each label, too.")
    ] = None,
) -> None:
    """Count samples by label and split, measure pictures, find copies of them, and name what is at fault."""
    from emolens.data import describe as study
    from emolens.data.contact_sheet import draw_contact_sheet
    from emolens.data.readers import read_dataset
    from emolens.settings import find_data

    if sheet is not None and (sheet.suffix.lower() != ".png" or not sheet.parent.is_dir()):
        raise ConfigError(f"--sheet {sheet}: give a file that ends in .png, in a folder that is there")
    found = read_dataset(dataset, find_data(data), keep_leaks=True)
    description = study.describe(found, tracked(study.look_at(found.samples), len(found)))
    if sheet is not None:
        draw_contact_sheet(description.dataset).save(sheet)
    if format == "json":
        print(json.dumps(description.to_dict(), indent=2))
    else:
        _print_description(description)


@app.command()
def prepare(
    recipe: Annotated[str, typer.Argument(help="The recipe that will be trained: its name, or a YAML file.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to leave the crops in.")],
    settings: Settings = None,
) -> None:
    """Cut and resize every picture once, as a recipe's training would; goes on where it was interrupted."""
    from emolens.cli.extras import training_side
    from emolens.settings import find_data

    with training_side("to read recipes"):
        from emolens.data.prepare import Preparation
        from emolens.training.recipe import ClassifierRecipe, load_recipe
    plan = load_recipe(recipe, settings or ())
    if not isinstance(plan, ClassifierRecipe):
        raise ConfigError(f"{recipe} trains a detector, which learns from whole photographs; it needs no preparation")
    preparation = Preparation.begin(plan.data.dataset, find_data(data), plan.input, plan.crop, out, plan.seed)
    shards = preparation.manifest.shards
    unreadable: dict[int, str] = {}
    for faulty in tracked(preparation.write(), len(shards)):
        unreadable |= faulty
    prepared = preparation.dataset.without("unreadable_image", unreadable)
    if prepared.faults:
        print(prepared.fault_report, file=sys.stderr)
    print(f"{out}: {len(prepared):,} crops of {plan.input.width} x {plan.input.height}; shards: {len(shards)}")
    chosen = shlex.join(part for setting in [*(settings or ()), "data.dataset=prepared"] for part in ("--set", setting))
    print(f"Next: emolens train {recipe} --data {out} {chosen} --out RUN")


@app.command()
def features(
    recipe: Annotated[str, typer.Argument(help="A classic recipe: its name, such as landmarks-mlp, or a YAML file.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to leave the tables in.")],
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the dataset.", show_default="the recipe's")
    ] = None,
    format: Annotated[Literal["parquet", "csv"], typer.Option(help="Of the tables.")] = "parquet",
    settings: Settings = None,
) -> None:
    """Write the features that a classic recipe makes, such as the landmarks of faces: a table per label."""
    from emolens.cli.extras import needing
    from emolens.settings import find_data

    with needing("classic", "to make features"):
        from emolens.classic.recipe import ClassicRecipe
        from emolens.classic.tables import write_tables
        from emolens.training.reading import checked, read_content, task_of
    content = read_content(recipe, settings or ())
    if task_of(content, recipe) != "classic":
        raise ConfigError(f"{recipe} trains a network, which takes pixels; features are those of classic recipes")
    written = write_tables(checked(content, ClassicRecipe, recipe), find_data(data), out, split, format)
    if written.fault_report:
        print(written.fault_report, file=sys.stderr)
    for path, count in written.rows.items():
        print(f"{path}: {count:,}")
    print(f"nothing found in {written.nothing_found:,} more", file=sys.stderr)


@app.command()
def emoji(
    out: Annotated[Path, typer.Option(help="The folder to leave pictures and tables in.")],
    source: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder with the unpacked packages, such as node_modules.",
            show_default="downloads them once, 340 MB",
        ),
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(metavar="VENDOR", help="Keep this vendor's pictures for the test; may be given more than once."),
    ] = None,
    fold: Annotated[int, typer.Option(help="Which fifth of the emoji is held out, 0 to 4.")] = 0,
) -> None:
    """Make a dataset of emoji as four vendors draw them, with labels happy and sad, and of seven emotions."""
    from emolens.data.emoji.build import build

    for name, counts in build(out, source, hold_out or (), fold).items():
        print(f"{out / name}.csv: {', '.join(f'{split} {count}' for split, count in sorted(counts.items()))}")
    print(f"{out / 'README.md'} has the terms of the pictures, which are their vendors'")
    print(f"Next: emolens train emoji-cnn --data {shlex.quote(str(out / 'happy-sad.csv'))} --out RUN")


def _print_description(description: "Description") -> None:
    dataset = description.dataset
    kind = "several labels at once" if dataset.objective == "multilabel" else "one label, or a distribution"
    _print(f"{dataset.name}: {len(dataset):,} samples of {len(dataset.labels)} labels ({kind})", "")
    _print(_label_table(description), *_without_samples(dataset), _sizes(description.sizes), "")
    _print(_copies_table(description))
    for kind, copies in (("exact", description.exact), ("near", description.near)):
        for group in copies.groups[:_NAMED]:
            _print(f"  {kind}: {_shortened(group)}")
        if len(copies.groups) > _NAMED:
            _print(f"  and {len(copies.groups) - _NAMED:,} more groups of {kind} copies, which --format json has")
    rules = Counter(dataset.left_out)
    for reason in dataset.faults:
        del rules[reason]
    for reason, count in rules.items():
        _print(f"left out: {count:,} {reason.replace('_', ' ')}")
    if dataset.faults:
        _print("", dataset.fault_report)


def _without_samples(dataset: "Dataset") -> list[str]:
    """Labels that only the label set has, which a reader guesses from the names that it finds."""
    columns = zip(dataset.labels, dataset.targets.T, strict=True)
    present = [label for label, shares in columns if shares.any()]
    absent = [label for label in dataset.labels if label not in present]
    if not absent or not present:
        return []
    return [
        f"no sample is of {', '.join(absent)}, which may be no labels of this dataset; "
        f"to train without: --labels {shlex.quote(','.join(present))}"
    ]


def _label_table(description: "Description") -> "Table":
    from emolens.data.describe import imbalance

    columns = {**description.counts, "all": description.total}
    without = {**description.unlabelled, "all": sum(description.unlabelled.values())}
    table = figures_table("label", *columns)
    for label in description.dataset.labels:
        table.add_row(label, *(f"{counts[label]:,}" for counts in columns.values()))
    missing = "no label" if description.dataset.objective == "multilabel" else "no single top label"
    table.add_row(missing, *(f"{count:,}" for count in without.values()), end_section=True)
    ratios = [imbalance(counts) for counts in columns.values()]
    table.add_row("largest / smallest", *("" if ratio is None else f"{ratio:.1f}" for ratio in ratios))
    return table


def _sizes(sizes: dict[tuple[int, int], int]) -> str:
    if not sizes:
        return "no picture can be read"
    (width, height), count = next(iter(sizes.items()))
    widths, heights = zip(*sizes, strict=True)
    rest = f"; {len(sizes)} sizes, {min(widths)} to {max(widths)} wide, {min(heights)} to {max(heights)} high"
    return f"pictures: {count:,} of {width} x {height}{rest if len(sizes) > 1 else ''}"


def _copies_table(description: "Description") -> "Table":
    def count(copies: "Copies", pair: tuple[str, str]) -> str:
        return f"{copies.counts.get(pair, 0):,}"

    table = figures_table("samples whose picture is twice", "exact copies", "only near copies")
    for pair in sorted({*description.exact.counts, *description.near.counts}):
        where = f"within {pair[0]}" if pair[0] == pair[1] else f"of {pair[0]}, also in {pair[1]}"
        table.add_row(where, count(description.exact, pair), count(description.near, pair))
    if not table.rows:
        table.add_row("none", "0", "0")
    return table


def _shortened(group: tuple[str, ...]) -> str:
    more = len(group) - _NAMED
    return ", ".join((*group[:_NAMED], *([f"and {more:,} more"] if more > 0 else [])))


def _print(*parts: "str | Table") -> None:
    from rich.console import Console

    from emolens.text import printable

    console = Console(highlight=False, markup=False)
    for part in parts:
        for line in part.split("\n") if isinstance(part, str) else [part]:
            console.print(printable(line) if isinstance(line, str) else line, soft_wrap=True)
