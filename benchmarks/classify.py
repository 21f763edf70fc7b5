"""Times the embedded classifier beside EfficientNet-B0 at 224 pixels: one thread of ONNX Runtime, batches of 16.

    python benchmarks/classify.py [--own FILE] [--rounds 20]

EfficientNet-B0 is the network that HSEmotion runs; its weights are random here, which changes nothing about its time.
"""

import argparse
import tempfile
import warnings
from pathlib import Path
from statistics import median

import numpy as np
import timm
import torch
from rich.console import Console
from rich.table import Table
from turns import take_turns, times_faster

from emolens.runtime import OnnxModel
from emolens.session import open_session, run_session
from emolens.zoo import find

BATCH = 16
SIDE = 224
TARGET_RATIO = 8
TARGET_MS = 1.0
OWN, OTHER = "emolens", "EfficientNet-B0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--own", default="face", help="a name or a model file")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = efficientnet(Path(folder) / "efficientnet_b0.onnx")
        Console().print(report(measure(OnnxModel(find(arguments.own), "cpu", threads=1), other, arguments.rounds)))


def efficientnet(path: Path) -> Path:
    """Exports the network with eight classes, for one batch of normalised pixels."""
    network = timm.create_model("efficientnet_b0", pretrained=False, num_classes=8).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            network,
            (torch.zeros(BATCH, 3, SIDE, SIDE),),
            path,
            dynamo=True,
            input_names=["image"],
            output_names=["logits"],
            external_data=False,
            verbose=False,
        )
    return path


def measure(own: OnnxModel, other: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds per batch and round."""
    random = np.random.default_rng(0)
    size = own.card.input
    crops = random.integers(0, 256, (BATCH, size.height, size.width, size.channels), dtype=np.uint8)
    pixels = random.standard_normal((BATCH, 3, SIDE, SIDE), dtype=np.float32)
    session = open_session(other, "cpu", threads=1)
    steps = {
        OWN: lambda: own.probabilities(crops),
        OTHER: lambda: run_session(session, ["logits"], {"image": pixels}, other),
    }
    return take_turns(steps, rounds)


def report(seconds: dict[str, list[float]]) -> Table:
    table = Table("network", "faces / s", "ms a face", "times faster")
    for name, taken in seconds.items():
        batch = median(taken)
        row = [f"{BATCH / batch:.0f}", f"{1000 * batch / BATCH:.2f}", f"{times_faster(taken, seconds[OTHER]):.1f}"]
        table.add_row(name, *row)
    table.add_row("target", "", f"<= {TARGET_MS}", f">= {TARGET_RATIO}")
    return table


if __name__ == "__main__":
    main()
