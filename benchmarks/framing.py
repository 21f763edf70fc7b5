"""Measures how faces in photographs should be cut out: the crop's margin, and how steady the answer is.

    python benchmarks/framing.py --faces FACES.parquet --ratings OASIS.parquet [--own FILE]

Real photographs with known expressions: the pictures of OASIS whose theme names one ("Sad face 3"), and the mean
valence that about 100 people gave to every picture with a face. Faces are those that the embedded detector finds; the
largest one speaks for the picture.
"""

import argparse
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from emolens.card import Crop
from emolens.image import crop_face
from emolens.predictor import open_detector
from emolens.results import Box
from emolens.runtime import OnnxModel
from emolens.zoo import find

MARGINS = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
SMALLEST = 24
THEMES = {
    "angry": "angry", "sad": "sad", "miserable": "sad", "depressed": "sad", "scared": "fear", "happy": "happy",
    "smiling": "happy", "excited": "happy", "neutral": "neutral", "bored": "neutral",
}  # fmt: skip
UNPLEASANT = ("sad", "angry", "fear", "disgust")


@dataclass(frozen=True)
class Portrait:
    """A photograph, its largest face, the mean valence that people gave it, and the expression in its theme."""

    pixels: NDArray[np.uint8]
    box: Box
    valence: float
    expression: str | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--ratings", type=Path, required=True)
    parser.add_argument("--own", default="face", help="a name or a model file")
    arguments = parser.parse_args()
    model = OnnxModel(find(arguments.own), "cpu")
    portraits = load_portraits(arguments.faces, arguments.ratings)
    console = Console(width=120)
    console.print(by_margin(model, portraits))
    console.print(steadiness(model, portraits))


def load_portraits(faces: Path, ratings: Path) -> list[Portrait]:
    """The pictures of OASIS in which the detector finds a face large enough to be read."""
    detector = open_detector("detector", size=None)
    images = pq.read_table(faces, columns=["image"])["image"]
    portraits = []
    for row in pq.read_table(ratings).to_pylist():
        with Image.open(io.BytesIO(images[row["faces_row"]].as_py())) as image:
            pixels = np.asarray(image.convert("RGB"))
        boxes = detector.detect(pixels).boxes
        if not len(boxes) or boxes[:, 2:].max() < SMALLEST:
            continue
        x, y, w, h = boxes[boxes[:, 2:].prod(axis=1).argmax()].tolist()
        portraits.append(Portrait(pixels, (x, y, w, h), row["valence_mean"], expression_of(row["theme"])))
    return portraits


def expression_of(theme: str) -> str | None:
    """What a theme such as `Sad face 3` shows."""
    named = re.fullmatch(r"(\w+) face.*", theme)
    return THEMES.get(named[1].lower()) if named else None


def by_margin(model: OnnxModel, portraits: list[Portrait]) -> Table:
    """How well the answers fit theme and valence at every margin."""
    themed = [index for index, portrait in enumerate(portraits) if portrait.expression]
    table = Table("margin", f"expression right, of {len(themed)}", f"r with valence, {len(portraits)} pictures")
    labels = model.card.labels
    for margin in MARGINS:
        crop = Crop(margin=margin, square=model.card.crop.square)
        answers = classify(model, [(portrait.pixels, portrait.box) for portrait in portraits], crop)
        right = sum(labels[answers[index].argmax()] == portraits[index].expression for index in themed)
        pleasant = answers[:, labels.index("happy")] - answers[:, [labels.index(name) for name in UNPLEASANT]].sum(1)
        r = np.corrcoef(pleasant, [portrait.valence for portrait in portraits])[0, 1]
        table.add_row(f"{margin:+.2f}", str(right), f"{r:.3f}")
    return table


def steadiness(model: OnnxModel, portraits: list[Portrait]) -> Table:
    """How much the answers move when the boxes do."""
    table = Table("box", "probability that moves to other labels (mean)", "same dominant emotion")
    before = classify(model, [(portrait.pixels, portrait.box) for portrait in portraits], model.card.crop)
    for name, shift, scale in [("shifted by 5 %", 0.05, 1), ("shifted by 10 %", 0.1, 1),
                               ("10 % smaller", 0, 0.9), ("10 % larger", 0, 1.1)]:  # fmt: skip
        moved, same = [], []
        for dx, dy in [(1, 0), (-1, 0), (0, 1), (0, -1)] if shift else [(0, 0)]:
            boxes = [(one.pixels, change(one.box, shift * dx, shift * dy, scale)) for one in portraits]
            after = classify(model, boxes, model.card.crop)
            moved.append(np.abs(after - before).sum(axis=1).mean() / 2)
            same.append((after.argmax(1) == before.argmax(1)).mean())
        table.add_row(name, f"{np.mean(moved):.3f}", f"{np.mean(same):.1%}")
    return table


def change(box: Box, dx: float, dy: float, scale: float) -> Box:
    """The box moved by fractions of its sides and scaled about its centre."""
    x, y, w, h = box
    return x + w * (dx + (1 - scale) / 2), y + h * (dy + (1 - scale) / 2), w * scale, h * scale


def classify(model: OnnxModel, faces: list[tuple[NDArray[np.uint8], Box]], crop: Crop) -> NDArray[Any]:
    """Probabilities, `(N, L)`."""
    crops = np.stack([crop_face(pixels, box, crop, model.card.input) for pixels, box in faces])
    return model.probabilities(crops)


if __name__ == "__main__":
    main()
