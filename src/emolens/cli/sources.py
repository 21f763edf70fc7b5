"""Models and datasets as several commands name them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emolens.errors import ConfigError

if TYPE_CHECKING:
    from emolens.data.samples import Dataset


@contextmanager
def model_file(name: str) -> Iterator[Path]:
    """The model file that a name stands for: of a model, a file, a finished run, or a checkpoint, which is exported."""
    from emolens.settings import find_run
    from emolens.zoo import find

    place = find_run(Path(name)) if name.endswith(".safetensors") else Path(name)
    if place.suffix == ".safetensors":
        from emolens.cli.extras import training_side

        with training_side("to open a checkpoint"):
            from emolens.export.run import export_run
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder, f"{place.stem}.onnx")
            export_run(place, exported)
            yield exported
    elif place.is_dir():
        if not (place / "model.onnx").is_file():
            raise ConfigError(f"{place} holds no model.onnx; a finished training leaves one, so resume or export it")
        yield place / "model.onnx"
    else:
        yield find(name)


def open_dataset(name: str, data: Path, split: str | None, keep_leaks: bool = False, strict: bool = False) -> "Dataset":
    """The dataset of a reader's name or, of a run, the rows of `data` that its training held out."""
    from emolens.data.readers import READERS, read_dataset

    if name in READERS or not Path(name).is_dir():
        return read_dataset(name, data, split, keep_leaks, strict=strict)
    from emolens.cli.extras import training_side

    with training_side("to know what a run held out"):
        from emolens.training.data import read_parts
        from emolens.training.recipe import ClassifierRecipe
        from emolens.training.run import Run
    if split is not None:
        raise ConfigError(f"--split {split}: {name} is a run, whose held-out rows are meant; leave --split out")
    recipe = Run(Path(name)).recipe()
    if not isinstance(recipe, ClassifierRecipe):
        raise ConfigError(f"{name} is the training of a detector; give the run of a classifier")
    held_out = read_parts(recipe, data).held_out
    if strict:
        held_out.check_faultless()
    return held_out
