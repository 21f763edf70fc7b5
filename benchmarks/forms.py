"""What a run is worth in each form that it can be exported to: size, time a face, and accuracy.

    python benchmarks/forms.py RUN --data fer2013plus.parquet [--rounds 20]

One thread of ONNX Runtime, batches of 16, the forms in turns; measured on PublicTest of FER+.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table
from safetensors import safe_open
from turns import take_turns, times_faster

from emolens.data.readers import read_dataset
from emolens.evaluation.evaluate import evaluate
from emolens.export.formats import Format
from emolens.export.run import export_run
from emolens.runtime import OnnxModel

BATCH = 16
FORMS = (Format.onnx, Format.onnx_int8, Format.onnx_fp16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    test = read_dataset("ferplus", arguments.data, "PublicTest")
    with tempfile.TemporaryDirectory() as folder:
        models = {form: exported(arguments.run, Path(folder), form) for form in FORMS}
        weights = sum(np.prod(shape) for shape in shapes(arguments.run))
        seconds = take_turns({form: answering(model) for form, model in models.items()}, arguments.rounds)
        table = Table("form", "bytes", "of float32 weights", "ms a face", "times faster", "accuracy")
        for form, model in models.items():
            size = model.path.stat().st_size
            table.add_row(
                form,
                f"{size:,}",
                f"{size / (4 * weights):.0%}",
                f"{1000 * median(seconds[form]) / BATCH:.2f}",
                f"{times_faster(seconds[form], seconds[Format.onnx]):.2f}",
                f"{evaluate(model, test).metrics['accuracy']:.4f}",
            )
    Console().print(table)


def exported(run: Path, folder: Path, form: Format) -> OnnxModel:
    export_run(run, folder / f"{form}.onnx", form)
    return OnnxModel(folder / f"{form}.onnx", "cpu", threads=1)


def shapes(run: Path) -> list[tuple[int, ...]]:
    """Of the trained weights."""
    with safe_open(run / "weights.safetensors", "numpy") as file:
        return [tuple(file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118 (it is no dictionary)


def answering(model: OnnxModel) -> Callable[[], object]:
    size = model.card.input
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, size.height, size.width, size.channels), dtype=np.uint8)
    return lambda: model.probabilities(crops)


if __name__ == "__main__":
    main()
