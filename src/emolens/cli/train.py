"""`emolens train`: a recipe and data in, a run with a model file out."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emolens.errors import ConfigError

if TYPE_CHECKING:
    from emolens.card import ModelCard


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="The recipe's name, or a YAML file; --list prints the names.", show_default=False),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The dataset's file or folder.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="The run's directory.", show_default=False)] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe: --set optimisation.epochs=3."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="SET", help="Project the labels: social8, fer7, ..., or a list: happy,sad,angry."),
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Track it in mlflow or wandb; may be given again.", show_default="tensorboard"
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse data with faults instead of leaving them out.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the recipe and stop.")] = False,
    list_recipes: Annotated[bool, typer.Option("--list", help="Print the recipes, one name per line.")] = False,
) -> None:
    """Train a model by its recipe; leaves OUT/model.onnx, ready for `emolens predict --model`."""
    from emolens.cli.extras import needing, training_side
    from emolens.recipes import recipe_names, recipe_text
    from emolens.settings import find_data, place_run

    if list_recipes:
        typer.echo("\n".join(recipe_names()))
        return
    if recipe is not None and show:
        typer.echo(recipe_text(recipe), nl=False)
        return
    if recipe is None or data is None or out is None:
        raise ConfigError("name what to train: emolens train RECIPE --data PATH --out RUN; `emolens train --list`")
    data, out = find_data(data), place_run(out)
    projected = [] if labels is None else [f"data.labels={f'[{labels}]' if ',' in labels else labels}"]
    with needing("evaluate", "to read recipes"):
        from emolens.training.reading import read_content, task_of
    content = read_content(recipe, [*(settings or ()), *projected])
    if task_of(content, recipe) == "classic":
        if track or resume:
            raise ConfigError(f"{recipe} is trained in one go, without curves; leave --track and --resume out")
        _train_classic(content, recipe, data, out, strict)
        return
    with training_side("to train"):
        from emolens.export.run import export_run
        from emolens.training import processes
        from emolens.training.recipe import parse_recipe
        from emolens.training.trackers import Trackers
        from emolens.training.train import train as fit
    is_first = processes.rank() == 0
    plan = parse_recipe(content, recipe)
    with _progress(is_first), Trackers(track or ["tensorboard"]) as trackers:
        fit(plan, data, out, resume, strict, trackers)
        if not is_first:
            return
        model = out / "model.onnx"
        card = export_run(out, model)
        trackers.add_model(model)
    _tell(model, card)


def _train_classic(content: Any, recipe: str, data: Path, out: Path, strict: bool) -> None:
    from emolens.cli.extras import needing

    with needing("classic", "to train it"):
        from emolens.classic.recipe import ClassicRecipe
        from emolens.classic.train import train_classic
        from emolens.export.classic import write_classic
        from emolens.training.reading import checked
    model = out / "model.onnx"
    with _progress(shown=True):
        trained = train_classic(checked(content, ClassicRecipe, recipe), data, out, strict)
        card = write_classic(trained.classifier, trained.card, trained.held_out, model)
    _tell(model, card)


def _tell(model: Path, card: "ModelCard") -> None:
    typer.echo(f"{model}: {card.name} {card.version}, {model.stat().st_size / 1e6:.2f} MB")
    typer.echo(f"Next: emolens predict PHOTO {'--detector' if card.kind == 'detector' else '--model'} {model}")


@contextmanager
def _progress(shown: bool) -> Iterator[None]:
    """What the training logs meanwhile, one line per epoch, on the standard error."""
    handler = logging.StreamHandler(sys.stderr) if shown else logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("emolens")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
