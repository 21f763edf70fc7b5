"""Models and datasets as several commands name them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emolens.errors import ConfigError

if TYPE_CHECKING:
    from emolens.data.samples import Dataset
    from emolens.training.plan import Plan


def run_named(name: str) -> Path | None:
    """The folder of a run, or the checkpoint, that a name stands for; None where it stands for a model."""
    from emolens.settings import RUNS, find_run, folder
    from emolens.zoo import names

    if Path(name).suffix == ".safetensors":
        return find_run(Path(name))
    places = [place / name for place in (Path(), folder(RUNS)) if place is not None]
    return None if name in names() else next((place for place in places if place.is_dir()), None)


@contextmanager
def model_file(name: str) -> Iterator[Path]:
    """The model file that a name stands for: of a model, a file, a finished run, or a checkpoint, which is exported."""
    from emolens.zoo import find

    run = run_named(name)
    if run is None:
        yield find(name)
    elif run.is_dir():
        if not (run / "model.onnx").is_file():
            raise ConfigError(f"{run} holds no model.onnx; a finished training leaves one, so resume or export it")
        yield run / "model.onnx"
    else:
        from emolens.cli.extras import training_side

        with training_side("to open a checkpoint"):
            from emolens.export.run import export_run
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder, f"{run.stem}.onnx")
            export_run(run, exported)
            yield exported


def open_dataset(name: str, data: Path, split: str | None, keep_leaks: bool = False, strict: bool = False) -> "Dataset":
    """The dataset of a reader's name or, of a run, the rows of `data` that its training held out."""
    from emolens.data.readers import READERS, read_dataset

    run = None if name in READERS else run_named(name)
    if run is None:
        return read_dataset(name, data, split, keep_leaks, strict=strict)
    from emolens.training.parts import read_parts

    if split is not None:
        raise ConfigError(f"--split {split}: {name} is a run, whose held-out rows are meant; leave --split out")
    recipe = _recipe_of(run)
    if recipe is None:
        raise ConfigError(f"{name} is the training of a detector; give the run of a classifier")
    held_out = read_parts(recipe, data).held_out
    if strict:
        held_out.check_faultless()
    return held_out


def _recipe_of(run: Path) -> "Plan | None":
    """What a run was trained by; None for a detector."""
    from emolens.cli.extras import training_side
    from emolens.training.reading import checked, read_content, task_of

    file = str(run / "recipe.yaml")
    if run.is_dir() and task_of(content := read_content(file), file) == "classic":
        from emolens.classic.recipe import ClassicRecipe

        return checked(content, ClassicRecipe, file)
    with training_side("to know what a run held out"):
        from emolens.training.recipe import ClassifierRecipe
        from emolens.training.run import Run
    recipe = Run(run).recipe()
    return recipe if isinstance(recipe, ClassifierRecipe) else None
