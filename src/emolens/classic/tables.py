"""Features as tables, a file per label: the points of every happy face, for whatever else one wants to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import csv

from emolens.card import Features
from emolens.classic.extract import make_features, with_memory
from emolens.classic.recipe import ClassicRecipe
from emolens.data.readers import read_dataset
from emolens.errors import ConfigError
from emolens.evaluation.predictions import as_text
from emolens.files import written_whole

Format = Literal["parquet", "csv"]


@dataclass(frozen=True)
class Written:
    """What became of a dataset's samples.

    Attributes:
        rows: of every table, by its path.
        nothing_found: how many samples have no features and stand in no table.
        fault_report: of the samples that could not be read, as of `Dataset`.
    """

    rows: Mapping[Path, int]
    nothing_found: int
    fault_report: str


def write_tables(recipe: ClassicRecipe, data: Path, out: Path, split: str | None, form: Format) -> Written:
    """Writes the features that a recipe makes of a dataset: a row per sample, its name and then the F numbers.

    Columns of landmarks are `x0, y0, z0, x1, ...`, all others `f0, f1, ...`. A label without a sample has no table.

    Args:
        recipe: says how crops are cut and features made.
        data: the dataset's file or folder.
        out: the folder to write `LABEL.parquet` or `LABEL.csv` into.
        split: of the dataset; None takes that of the recipe.
        form: of the files.

    Raises:
        DataError: the data cannot be read.
        ConfigError: a sample may have several labels.
        ModelError: the model file that makes the features is missing or none.
        MissingExtraError: a library is missing.
    """
    opened = recipe.features.open(recipe.input)
    dataset = read_dataset(recipe.data.dataset, data, split or recipe.data.split, seed=recipe.seed)
    if dataset.objective == "multilabel":
        raise ConfigError(f"{data} has several labels per image, so that no table is that of one label")
    if recipe.data.labels is not None:
        dataset = dataset.project(recipe.labels)
    with with_memory(opened) as step:
        dataset, features = make_features(dataset, recipe, step)
    found = ~np.isnan(features).any(axis=1)
    likeliest = dataset.targets.argmax(axis=1)
    names = np.array([sample.name for sample in dataset.samples], object)
    columns = _columns(opened.features, features.shape[1])
    out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for index, label in enumerate(dataset.labels):
        chosen = found & (likeliest == index)
        if chosen.any():
            path = out / f"{label}.{form}"
            _write(path, names[chosen], features[chosen], columns)
            rows[path] = int(chosen.sum())
    return Written(rows, int((~found).sum()), dataset.fault_report)


def _columns(features: Features, count: int) -> list[str]:
    if features.step == "landmarks":
        return [f"{axis}{point}" for point in range(count // 3) for axis in "xyz"]
    return [f"f{index}" for index in range(count)]


def _write(path: Path, names: NDArray[np.object_], features: NDArray[np.float32], columns: list[str]) -> None:
    is_csv = path.suffix == ".csv"
    first = pa.array([as_text(name) if is_csv else name for name in names], pa.string())
    table = pa.table([first, *(pa.array(column) for column in features.T)], ["name", *columns])
    with written_whole(path) as unfinished:
        csv.write_csv(table, unfinished) if is_csv else pq.write_table(table, unfinished)
