"""What `evaluate` costs beside the bare work: decoding and predicting the faces of PublicTest.

    python benchmarks/evaluate.py --data fer2013plus.parquet [--rounds 5]

Bare: Pillow decodes every picture in turn, and an ONNX Runtime session takes the crops in batches of the same size; it
has all cores in every row. `predicting` is what `evaluate` does to get probabilities: decode, crop, predict, measure
the traits that slices are cut by; `all` adds the figures and their intervals.
"""

import argparse
import io
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from emolens.data.readers import read_dataset
from emolens.evaluation.answers import predict_dataset
from emolens.evaluation.evaluate import evaluate
from emolens.runtime import MAX_BATCH, OnnxModel
from emolens.zoo import find


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dataset = read_dataset("ferplus", arguments.data, "PublicTest", keep_leaks=True)
    model = OnnxModel(find("face"))
    size = model.card.input

    def bare() -> None:
        crops = []
        for sample in dataset.samples:
            assert isinstance(sample.image, bytes)
            with Image.open(io.BytesIO(sample.image)) as picture:
                crops.append(
                    np.asarray(picture.convert("L").resize((size.width, size.height), Image.Resampling.BILINEAR))
                )
        stacked = np.stack(crops)[..., None]
        for start in range(0, len(stacked), MAX_BATCH):
            model.session.run(["logits"], {"image": stacked[start : start + MAX_BATCH]})

    ways = {
        "bare": bare,
        "predicting": lambda: predict_dataset(model, dataset),
        "all of evaluate": lambda: evaluate(model, dataset),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds + 1):
        for name, way in ways.items():
            begin = perf_counter()
            way()
            seconds[name].append(perf_counter() - begin)
    table = Table("", "seconds, median", "of the bare work, median", title=f"{len(dataset):,} faces")
    for name, each in seconds.items():
        ratios = [one / base for one, base in zip(each[1:], seconds["bare"][1:], strict=True)]
        table.add_row(name, f"{median(each[1:]):.2f}", f"{median(ratios):.2f} x")
    Console().print(table)


if __name__ == "__main__":
    main()
