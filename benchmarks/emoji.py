"""Tests the recipe `emoji-cnn` on vendors whose emoji it has never seen: each of the four, and both closed ones.

    python benchmarks/emoji.py --out FOLDER [--source FOLDER] [--labels happy-sad|emotions] [--folds 5]

Five trainings for each, every one with another seed and another fifth of the emoji held out, so that every emoji of an
unseen vendor is once an unseen emoji, too, and four times one that other vendors have shown. Finished runs are kept.
Draws the confusion matrix over the four vendors, and the mistakes, of the vendors whose terms allow to show them.
"""

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table
from runs import over_seeds, trained

from emolens.data.emoji.build import FOLDS, write_pictures, write_table
from emolens.data.emoji.packages import vendors
from emolens.data.readers import read_dataset
from emolens.data.samples import Sample
from emolens.evaluation.answers import predict_dataset
from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.plots.confusion import draw_confusion
from emolens.image import decode
from emolens.training.recipe import ClassifierRecipe, load_recipe

LABELS = {"happy-sad": "[happy, sad]", "emotions": "fer7"}
COLUMNS, PITCH, LINE = 10, 108, 18
PARTS = ("test-seen", "test-unseen", "val")


@dataclass(frozen=True)
class Answer:
    """What a model of the fold that is held out says of a picture."""

    held_out: str
    fold: int
    sample: Sample
    probabilities: NDArray[np.float32]

    @property
    def right(self) -> bool:
        return bool(self.probabilities.argmax() == self.sample.target.argmax())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", type=Path, help="a folder with the unpacked packages")
    parser.add_argument("--labels", choices=LABELS, default="happy-sad")
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the five, to be done sooner")
    arguments = parser.parse_args()
    out, labels, pictures = arguments.out, arguments.labels, arguments.out / "set"
    drawings = write_pictures(pictures, arguments.source)
    closed = [name for name, one in vendors().items() if not one.open]
    answers, table = [], pictures / f"{labels}.csv"
    for fold in range(arguments.folds):
        for held_out in (*([name] for name in vendors()), closed):
            write_table(pictures, labels, drawings, held_out, fold)
            recipe = load_recipe("emoji-cnn", [f"data.labels={LABELS[labels]}", f"seed={fold}"])
            assert isinstance(recipe, ClassifierRecipe)
            model = trained(recipe, table, out / f"{labels}-{'-'.join(held_out)}-{fold}")
            for part in PARTS:
                found = predict_dataset(model, read_dataset("csv", table, part).project(recipe.labels))
                for sample, row in zip(found.dataset.samples, found.probabilities, strict=True):
                    answers.append(Answer(" and ".join(held_out), fold, sample, row))
    Console(width=160).print(report(answers, recipe.labels))
    single = [one for one in answers if one.held_out in vendors() and one.sample.split != "val"]
    unseen = [one for one in single if one.sample.split == "test-unseen"]
    draw_confusion(measure(unseen, recipe.labels)["confusion"], recipe.labels).save(out / f"{labels}-confusion.png")
    draw_mistakes(single, recipe.labels).save(out / f"{labels}-mistakes.png")


def report(answers: list[Answer], labels: tuple[str, ...]) -> Table:
    """Means over the folds, each of which has a seed of its own, with their standard deviation."""
    columns = ("seen emoji", "unseen emoji", "all, each fold", "macro F1, unseen", "known vendors, unseen emoji")
    table = Table("never seen", "pictures a fold", *columns)
    for held_out in dict.fromkeys(one.held_out for one in answers):
        of = [one for one in answers if one.held_out == held_out]
        folds = [[one for one in of if one.fold == fold] for fold in sorted({one.fold for one in of})]
        tested = [[one for one in fold if one.sample.split != "val"] for fold in folds]
        unseen = [one for fold in folds for one in fold if one.sample.split == "test-unseen"]
        table.add_row(
            held_out,
            str(len(tested[0])),
            over_seeds(accuracy(fold, "test-seen") for fold in folds),
            over_seeds(accuracy(fold, "test-unseen") for fold in folds),
            over_seeds(mean(one.right for one in fold) for fold in tested),
            f"{measure(unseen, labels)['macro_f1']:.3f}",
            over_seeds(accuracy(fold, "val") for fold in folds),
        )
    return table


def accuracy(answers: list[Answer], split: str) -> float:
    return mean(one.right for one in answers if one.sample.split == split)


def measure(answers: list[Answer], labels: tuple[str, ...]) -> dict[str, Any]:
    rows, targets = (
        np.array(each) for each in zip(*((one.probabilities, one.sample.target) for one in answers), strict=True)
    )
    return compute_metrics(rows, targets, labels)


def draw_mistakes(answers: list[Answer], labels: tuple[str, ...]) -> Image.Image:
    """Every emoji of the open vendors that some fold gets wrong, most often first, with what it is taken for."""
    asked: Counter[Path] = Counter()
    taken: defaultdict[Path, Counter[str]] = defaultdict(Counter)
    truth = {}
    for one in answers:
        path = one.sample.image
        assert isinstance(path, Path)
        if vendors()[one.held_out].open:
            asked[path] += 1
            truth[path] = labels[int(one.sample.target.argmax())]
            if not one.right:
                taken[path][labels[int(one.probabilities.argmax())]] += 1
    wrong = sorted(taken, key=lambda path: (-taken[path].total(), path))
    rows = -(-len(wrong) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * PITCH, rows * PITCH + 2 * LINE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, path in enumerate(wrong):
        row, column = divmod(place, COLUMNS)
        left, top = column * PITCH, row * PITCH
        sheet.paste(Image.fromarray(decode(path).pixels), (left + (PITCH - 64) // 2, top + 6))
        words = f"{truth[path]}, not\n{taken[path].most_common(1)[0][0]}: {taken[path].total()} of {asked[path]}"
        pen.multiline_text((left + PITCH // 2, top + 74), words, "black", font, anchor="ma", align="center")
    credits = [f"{name}: {one.terms}" for name, one in vendors().items() if one.open]
    pen.multiline_text((6, rows * PITCH), "\n".join(credits), "black", font)
    return sheet


if __name__ == "__main__":
    main()
