"""Trains on a few faces per label: from the embedded face model, from parts of it, and from nothing.

    python benchmarks/few_shot.py --data fer2013plus.parquet --out FOLDER [--each 50] [--seeds 3]

Every seed draws other faces of FER2013's Training split. Each training is the recipe `own-faces` with the settings
shown; all are measured on PublicTest, without the rows whose pixels also stand in Training.
"""

import argparse
import random
import re
from collections import defaultdict
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table
from runs import trained

from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.evaluation.evaluate import evaluate
from emolens.training.recipe import load_recipe

SCRATCH = ["network={name: dlib_resnet}", "optimisation.learning_rate=0.001"]
BEGINNINGS = {
    "init: face, freeze: backbone (the recipe)": [],
    "init: face, freeze: none": [
        "network.freeze=none",
        "optimisation.learning_rate=0.0005",
        "optimisation.batch_size=32",
    ],
    "from scratch": SCRATCH,
    "from scratch, 60 epochs": [*SCRATCH, "optimisation.epochs=60"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=50, help="faces per label")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    faces = read_dataset("fer2013", arguments.data, "Training")
    test = read_dataset("fer2013", arguments.data, "PublicTest")
    figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for seed in range(arguments.seeds):
        drawn = draw(faces, arguments.each, seed, arguments.out / f"faces-{seed}")
        for beginning, settings in BEGINNINGS.items():
            folder = arguments.out / f"{re.sub('[^a-z0-9]+', '-', beginning)}-{seed}"
            model = trained(load_recipe("own-faces", [f"seed={seed}", *settings]), drawn, folder)
            metrics = evaluate(model, test).metrics
            figures[beginning].append((metrics["accuracy"], metrics["macro_f1"]))
    Console().print(report(figures))


def draw(faces: Dataset, each: int, seed: int, folder: Path) -> Path:
    """Writes so many faces of every label into a folder of folders, as a user would bring them."""
    by_label = defaultdict(list)
    for sample in faces.samples:
        by_label[faces.labels[int(sample.target.argmax())]].append(sample.image)
    for label, images in by_label.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(random.Random(seed).sample(images, each)):
            assert isinstance(image, bytes)
            (folder / label / f"{number}.png").write_bytes(image)
    return folder


def report(figures: dict[str, list[tuple[float, float]]]) -> Table:
    table = Table("beginning", "accuracy, mean", "of each seed", "macro F1, mean")
    for beginning, measured in figures.items():
        accuracies = [accuracy for accuracy, _ in measured]
        table.add_row(
            beginning,
            f"{mean(accuracies):.3f}",
            ", ".join(f"{accuracy:.3f}" for accuracy in accuracies),
            f"{mean(f1 for _, f1 in measured):.3f}",
        )
    return table


if __name__ == "__main__":
    main()
