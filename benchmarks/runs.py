"""What benchmarks share that train: finished runs are kept, so that a benchmark goes on where it was stopped."""

from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev

from emolens.export.run import export_run
from emolens.runtime import OnnxModel
from emolens.training.recipe import Recipe
from emolens.training.run import Run
from emolens.training.train import train


def trained(recipe: Recipe, data: Path, folder: Path) -> OnnxModel:
    """The model of a run that is finished, resumed or begun."""
    model = folder / "model.onnx"
    if not model.exists():
        train(recipe, data, folder, resume=Run(folder).checkpoint.exists())
        export_run(folder, model)
    return OnnxModel(model)


def over_seeds(figures: Iterable[float]) -> str:
    """Mean and standard deviation."""
    values = list(figures)
    return f"{mean(values):.3f} ± {stdev(values):.3f}" if len(values) > 1 else f"{values[0]:.3f}"
