"""Measures what networks have learnt: figures, size, time, and whether the model file answers as the network does.

    python benchmarks/systems.py RUN ... --data fer2013plus.parquet [--dataset fer2013] [--split PublicTest]

Every run holds its `model.onnx`. Over the labels that dataset and model share, leaks left out. The round trip compares
PyTorch's labels with those of the model file on the first 500 of these images. Times are of one thread's processor.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from classic import milliseconds
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.evaluation.evaluate import evaluate
from emolens.export.source import Source
from emolens.probability import calibrated
from emolens.runtime import OnnxModel
from emolens.training.trained import open_trained

ROUND_TRIP = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", default="fer2013")
    parser.add_argument("--split")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = read_dataset(arguments.dataset, arguments.data, arguments.split)
    columns = ("run", "images", "accuracy", "macro F1", "weights", "bytes", "ms an image", "same labels", "differ by")
    table, console = Table(*columns), Console(width=140)
    for run in arguments.runs:
        table.add_row(run.name, *measured(run, dataset))
    console.print(table)


def measured(run: Path, dataset: Dataset) -> list[str]:
    """The figures of one run."""
    learnt, model = open_trained(run), OnnxModel(run / "model.onnx", "cpu", threads=1)
    metrics = evaluate(model, dataset).metrics
    crops, _ = cut_crops(dataset.samples[:ROUND_TRIP], model.card.input, model.card.crop)
    source = Source(learnt.network, learnt.card, learnt.pixels.mean, learnt.pixels.std)
    expected, found = calibrated(source.answers(crops)[0], learnt.card), model.probabilities(crops)
    same = (found.argmax(axis=1) == expected.argmax(axis=1)).sum()
    return [
        f"{metrics['n']:,}",
        f"{metrics['accuracy']:.4f} ({' to '.join(f'{end:.3f}' for end in metrics['intervals']['accuracy'])})",
        f"{metrics['macro_f1']:.4f}",
        f"{sum(parameter.numel() for parameter in learnt.network.parameters()):,}",
        f"{model.path.stat().st_size:,}",
        f"{milliseconds(model, crops):.2f}",
        f"{same} of {len(crops)}",
        f"{np.abs(found - expected).max():.1e}",
    ]


if __name__ == "__main__":
    main()
