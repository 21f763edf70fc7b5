"""Trains one network on FER2013 with every kind of class balancing.

    python benchmarks/balance.py --data fer2013plus.parquet --out FOLDER [--seeds 3] [--epochs 10]

`custom_cnn` on 48x48 and the Training split, 10 % of it held out, measured on PublicTest. All train for about as many
steps as `none` does in so many epochs, since down-sampling leaves far fewer faces to an epoch and over-sampling more.
"""

from collections import defaultdict
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table
from runs import over_seeds, parse_arguments, trained

from emolens.data.balance import Balance
from emolens.data.readers import read_dataset
from emolens.evaluation.evaluate import evaluate
from emolens.training.parts import read_parts
from emolens.training.recipe import ClassifierRecipe, load_recipe


def main() -> None:
    arguments = parse_arguments(__doc__)
    test = read_dataset("fer2013", arguments.data, "PublicTest")
    figures: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for seed in range(arguments.seeds):
        steps = arguments.epochs * steps_an_epoch(balanced("none", 1, seed), arguments.data)
        for balance in get_args(Balance):
            epochs = round(steps / steps_an_epoch(balanced(balance, 1, seed), arguments.data))
            model = trained(balanced(balance, epochs, seed), arguments.data, arguments.out / f"{balance}-{seed}")
            metrics = evaluate(model, test).metrics
            disgust = metrics["per_class"]["disgust"]["recall"]
            figures[balance].append((metrics["macro_f1"], metrics["accuracy"], disgust))
    Console().print(report(figures))


def balanced(balance: str, epochs: int, seed: int) -> ClassifierRecipe:
    settings = [
        "network={name: custom_cnn}",
        "data.split=Training",
        "data.validation=0.1",
        f"balance={balance}",
        f"optimisation.epochs={epochs}",
        "optimisation.patience=null",
        f"seed={seed}",
    ]
    recipe = load_recipe("fer2013-cnn", settings)
    assert isinstance(recipe, ClassifierRecipe)
    return recipe


def steps_an_epoch(recipe: ClassifierRecipe, data: Path) -> int:
    return len(read_parts(recipe, data).training) // recipe.optimisation.batch_size


def report(figures: dict[str, list[tuple[float, ...]]]) -> Table:
    table = Table("balance", "macro F1", "accuracy", "recall of disgust")
    for balance, measured in figures.items():
        table.add_row(balance, *(over_seeds(column) for column in zip(*measured, strict=True)))
    return table


if __name__ == "__main__":
    main()
