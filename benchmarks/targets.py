"""Trains one network on the same faces of FER+ three times: on the votes, on the majority's label, on several labels.

    python benchmarks/targets.py --data fer2013plus.parquet --out FOLDER [--seeds 3] [--epochs 10]

The faces of Training that have a majority are written out as pictures with three tables: the shares of the votes over
`social8`; the label with most of them; and that label with every other that has at least 30 % of them (as Barsoum et
al., 2016). All train `custom_cnn` on 48x48 in the same way, and are measured on PublicTest against the votes: as a user
gets them, with a temperature fitted to held-out targets of the training's own kind, and without it. What was trained on
several labels has none; its independent probabilities are divided by their sum.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from runs import over_seeds, parse_arguments, trained

from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.evaluation.metrics import compute_metrics
from emolens.labels import label_set
from emolens.probability import sigmoid, softmax
from emolens.runtime import OnnxModel
from emolens.training.recipe import load_recipe

LABELS = label_set("social8")
ENOUGH = 0.3
FIGURES = ("accuracy", "kl", "ece", "vote_ece", "macro_f1")
OBJECTIVES = {"votes": "distribution", "majority": "distribution", "several": "multilabel"}


def main() -> None:
    arguments = parse_arguments(__doc__)
    training, test = (
        read_dataset("ferplus", arguments.data, split).project(LABELS).without_ties()
        for split in ("Training", "PublicTest")
    )
    tables = write_tables(training, arguments.out / "faces")
    figures: dict[str, list[dict[str, float]]] = defaultdict(list)
    for seed in range(arguments.seeds):
        for name, table in tables.items():
            recipe = load_recipe("fer2013-cnn", settings(OBJECTIVES[name], arguments.epochs, seed))
            model = trained(recipe, table, arguments.out / f"{name}-{seed}")
            for tempered in (True, False) if model.card.objective == "distribution" else (False,):
                probabilities = answers(model, test, tempered)
                row = name if tempered else f"{name}, no temperature"
                figures[row].append(compute_metrics(probabilities, test.targets, LABELS))
    Console().print(report(figures))


def settings(objective: str, epochs: int, seed: int) -> list[str]:
    return [
        f"data={{dataset: csv, split: train, validation: 0.1, labels: [{', '.join(LABELS)}]}}",
        f"objective={{name: {objective}}}",
        "network={name: custom_cnn}",
        "balance=none",
        f"optimisation.epochs={epochs}",
        "optimisation.patience=null",
        f"seed={seed}",
    ]


def write_tables(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """The pictures, and beside them a table for each kind of target."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(dataset.samples):
        picture = folder / f"{number}.png"
        if not picture.exists():
            assert isinstance(sample.image, bytes)
            picture.write_bytes(sample.image)
    shares = dataset.targets
    top = shares == shares.max(axis=1, keepdims=True)
    votes = [[f"{share:.6f}" for share in row] for row in shares.tolist()]
    majority = [[LABELS[index]] for index in shares.argmax(axis=1)]
    several = ((shares >= ENOUGH) | top).astype(int).tolist()
    return {
        "votes": write_table(folder / "votes.csv", LABELS, votes),
        "majority": write_table(folder / "majority.csv", ["label"], majority),
        "several": write_table(folder / "several.csv", LABELS, several),
    }


def write_table(path: Path, columns: Sequence[str], targets: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "split", *columns])
        table.writerows([f"{number}.png", "train", *row] for number, row in enumerate(targets))
    return path


def answers(model: OnnxModel, test: Dataset, tempered: bool) -> NDArray[np.float32]:
    """`(N, L)` probabilities that sum to one."""
    crops, _ = cut_crops(test.samples, model.card.input, model.card.crop)
    logits = np.concatenate([model.logits(part) for part in np.array_split(crops, len(crops) // 256 + 1)])
    if model.card.objective == "multilabel":
        independent = sigmoid(logits)
        shares: NDArray[np.float32] = independent / independent.sum(axis=1, keepdims=True)
        return shares
    return softmax(logits / np.float32(model.card.temperature if tempered else 1))


def report(figures: dict[str, list[dict[str, float]]]) -> Table:
    table = Table("trained on", *FIGURES)
    for name, measured in figures.items():
        table.add_row(name, *(over_seeds(one[figure] for one in measured) for figure in FIGURES))
    return table


if __name__ == "__main__":
    main()
