"""Trains a classic system and measures it: figures, the round trip through its model file, time and memory.

    python benchmarks/classic.py hog-svm --data fer2013plus.parquet --out FOLDER [--set KEY=VALUE ...]

PublicTest is measured over the recipe's own labels, leaks left out. The round trip compares scikit-learn's labels with
those of the model file on the first 500 of these faces. Times are of one thread; minutes of training are given as
elapsed and as processor time, the peak is of the whole process.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from emolens.classic.recipe import ClassicRecipe
from emolens.classic.train import train_classic
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.evaluation.evaluate import evaluate
from emolens.export.classic import write_classic
from emolens.runtime import OnnxModel
from emolens.training.reading import checked, read_content

_ROUND_TRIP = 500
_BATCH = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    arguments = parser.parse_args()
    recipe = checked(read_content(arguments.recipe, arguments.settings), ClassicRecipe, arguments.recipe)
    began, busy = time.perf_counter(), time.process_time()
    trained = train_classic(recipe, arguments.data, arguments.out)
    file = arguments.out / "model.onnx"
    card = write_classic(trained.classifier, trained.card, trained.held_out, file)
    elapsed, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    model, test = OnnxModel(file, "cpu", threads=1), read_dataset(recipe.data.dataset, arguments.data, "PublicTest")
    metrics = evaluate(model, test, recipe.labels).metrics
    crops, _ = cut_crops(test.samples[:_ROUND_TRIP], card.input, card.crop)
    expected = trained.classifier.predict_proba(crops)
    found = model.probabilities(crops)
    same = (found.argmax(axis=1) == expected.argmax(axis=1)).sum()

    table = Table("figure", "value", title=f"{arguments.recipe} {' '.join(arguments.settings)}")
    for name, value in {
        "faces": f"{metrics['n']:,}",
        "accuracy": f"{metrics['accuracy']:.4f}",
        "macro F1": f"{metrics['macro_f1']:.4f}",
        "ECE": f"{metrics['ece']:.4f}",
        "features": f"{trained.classifier.step.size:,}",
        "model file, bytes": f"{file.stat().st_size:,}",
        "training, minutes": f"{elapsed / 60:.1f} ({busy / 60:.1f} of the processor)",
        "peak, MB": f"{peak:,.0f}",
        "ms a face": f"{milliseconds(model, crops):.2f}",
        "same labels": f"{same} of {len(crops)}, probabilities differ by {np.abs(found - expected).max():.1e} at most",
    }.items():
        table.add_row(name, value)
    Console(width=120).print(table)


def milliseconds(model: OnnxModel, crops: np.ndarray) -> float:
    """Of the processor, per face, the best of three rounds."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for batch in range(0, len(crops), _BATCH):
            model.probabilities(crops[batch : batch + _BATCH])
        rounds.append(time.process_time() - start)
    return 1e3 * min(rounds) / len(crops)


if __name__ == "__main__":
    main()
