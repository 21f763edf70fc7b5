"""Times what a user waits for: importing emolens, and one whole `emolens predict`, beside importing numpy alone.

    python benchmarks/cold_start.py [--photo PHOTO] [--rounds 15]

The commands take turns, so that a busy moment of the machine slows all of them alike.
"""

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL

from PIL import Image
from rich.console import Console
from rich.table import Table
from turns import take_turns

TARGET_S = {"import emolens": 0.25, "emolens predict photo.jpg": 1.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, help="without it, noise of 1024 x 768 pixels")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = arguments.photo or noise(Path(folder) / "photo.jpg")
        commands = {
            "import numpy": [sys.executable, "-c", "import numpy"],
            "import emolens": [sys.executable, "-c", "import emolens"],
            "import emolens; emolens.load": [sys.executable, "-c", "import emolens; emolens.load"],
            "emolens predict photo.jpg": [sys.executable, "-m", "emolens", "predict", str(photo)],
        }
        Console().print(report(measure(commands, arguments.rounds)))


def noise(path: Path) -> Path:
    Image.effect_noise((1024, 768), 60).convert("RGB").save(path)
    return path


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Wall seconds per command and round."""
    runs = {name: partial(subprocess.run, command, check=True, stdout=DEVNULL) for name, command in commands.items()}
    return take_turns(runs, rounds)


def report(seconds: dict[str, list[float]]) -> Table:
    table = Table("command", "median s", "fastest s", "x numpy", "target s")
    numpy = median(seconds["import numpy"])
    for name, times in seconds.items():
        target = f"< {TARGET_S[name]}" if name in TARGET_S else ""
        table.add_row(name, f"{median(times):.3f}", f"{min(times):.3f}", f"{median(times) / numpy:.1f}", target)
    return table


if __name__ == "__main__":
    main()
