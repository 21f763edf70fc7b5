"""What benchmarks share that train: finished runs are kept, so that a benchmark goes on where it was stopped."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev

from emolens.export.run import export_run
from emolens.runtime import OnnxModel
from emolens.training.recipe import NetworkRecipe
from emolens.training.run import Run
from emolens.training.train import train


def parse_arguments(description: str | None) -> argparse.Namespace:
    """`data`, `out`, `seeds` and `epochs` of the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    return parser.parse_args()


def trained(recipe: NetworkRecipe, data: Path, folder: Path) -> OnnxModel:
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
