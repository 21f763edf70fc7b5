"""Draws a dataset of several labels at once: pictures of ten shapes in any combination, the same on every machine.

    python benchmarks/shapes.py --out FOLDER [--count 3000]

Leaves `labels.csv`, with a column of 0 and 1 for each shape and splits of 70, 21 and 9 %, beside the pictures.
"""

import argparse
import csv
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
CELLS = 3
MOST = 5
SPLITS = {"train": 0.7, "val": 0.21, "test": 0.09}

Points = list[tuple[float, float]]


def turned(corners: int, radii: tuple[float, ...] = (1.0,)) -> Points:
    """Corners around the middle, at distances that take turns."""
    angles = (2 * math.pi * corner / corners for corner in range(corners))
    return [
        (radii[corner % len(radii)] * math.cos(angle), radii[corner % len(radii)] * math.sin(angle))
        for corner, angle in enumerate(angles)
    ]


CIRCLE = turned(24)
HEART = [
    (math.sin(t) ** 3, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16)
    for t in np.linspace(0, 2 * math.pi, 24)
]
CROSS = [
    (x, y)
    for x, y in zip(
        (-0.3, 0.3, 0.3, 1, 1, 0.3, 0.3, -0.3, -0.3, -1, -1, -0.3),
        (-1, -1, -0.3, -0.3, 0.3, 0.3, 1, 1, 0.3, 0.3, -0.3, -0.3),
        strict=True,
    )
]
ARROW = [(-1.0, -0.2), (0.1, -0.2), (0.1, -0.7), (1.0, 0.0), (0.1, 0.7), (0.1, 0.2), (-1.0, 0.2)]
CRESCENT = [*CIRCLE[4:21], *((0.8 * x + 0.45, 0.85 * y) for x, y in reversed(CIRCLE[5:20]))]

# Outlines; of a ring and a frame the inside is drawn over.
SHAPES: dict[str, Points] = {
    "circle": CIRCLE,
    "ring": CIRCLE,
    "crescent": CRESCENT,
    "heart": HEART,
    "triangle": turned(3),
    "square": turned(4),
    "frame": turned(4),
    "star": turned(10, (1.0, 0.42)),
    "cross": CROSS,
    "arrow": ARROW,
}
HOLLOW = ("ring", "frame")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3000)
    arguments = parser.parse_args()
    write_dataset(arguments.out, arguments.count)


def write_dataset(folder: Path, count: int) -> Path:
    """The table that was written."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = np.cumsum(list(SPLITS.values())) * count
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "split", *SHAPES))
        for number in range(count):
            rng = np.random.default_rng(number)
            shown = rng.choice(list(SHAPES), rng.integers(1, MOST + 1), replace=False).tolist()
            draw(shown, rng).save(folder / f"{number:05}.png")
            split = list(SPLITS)[int(np.searchsorted(ends, number + 0.5))]
            writer.writerow((f"{number:05}.png", split, *(int(name in shown) for name in SHAPES)))
    return folder / "labels.csv"


def draw(shapes: list[str], rng: np.random.Generator) -> Image.Image:
    """The shapes in cells of their own, turned, in any size and colour, on a plain ground with noise."""
    scale, ground = 4, rng.integers(0, 256, 3)
    picture = Image.new("RGB", (SIDE * scale,) * 2, tuple(ground.tolist()))
    pen = ImageDraw.Draw(picture)
    pitch = SIDE * scale / CELLS
    for name, cell in zip(shapes, rng.permutation(CELLS**2), strict=False):
        colour = rng.integers(0, 256, 3)
        while np.abs(colour - ground).max() < 80:
            colour = rng.integers(0, 256, 3)
        middle = (np.array(divmod(int(cell), CELLS)) + rng.uniform(0.4, 0.6, 2)) * pitch
        size, angle = pitch * rng.uniform(0.38, 0.55), rng.uniform(0, 2 * math.pi)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        outline = np.array(SHAPES[name]) @ turn
        pen.polygon([tuple(point) for point in (middle + size * outline).tolist()], tuple(colour.tolist()))
        if name in HOLLOW:
            inside = (middle + 0.55 * size * outline).tolist()
            pen.polygon([tuple(point) for point in inside], tuple(ground.tolist()))
    pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)) + rng.normal(0, 6, (SIDE, SIDE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
