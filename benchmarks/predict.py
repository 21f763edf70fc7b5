"""Compares `predict_many` with a loop of `predict` and with the package `fer`, in photographs per second and memory.

    python benchmarks/predict.py (--photos FOLDER | --faces TABLE) [--count 300] [--rounds 5] [--threads 0]
                                 [--fer-python PYTHON]

FOLDER holds JPEG files, repeated up to the count; TABLE is what the detector is trained on, of which so many
photographs, evenly spread, are written to a temporary folder. PYTHON is the interpreter of an environment with `fer`
(25.10.3), run as it comes, with a cascade that finds larger faces alone, and with its MTCNN, which finds small ones,
too; without it, `fer` is left out. Imports and the loading of models are not counted. Memory is what `/proc` says of a
fresh process (Linux), for the count and for ten times as many photographs.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table
from turns import take_turns, times_faster

import emolens
from emolens.data.readers.faces import read_face_photos

MANY, LOOP, FER, FER_MTCNN = "predict_many", "loop of predict", "fer", "fer, with MTCNN"
TARGET_RATIO = {LOOP: 1.3, FER: 8}

# Reads the files' names, then answers every line with the faces found in one pass over them. What TensorFlow prints
# goes to stderr.
FER_SCRIPT = """
import json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import cv2
from fer.fer import FER
files = json.loads(sys.stdin.readline())
detector = FER(mtcnn=json.loads(sys.argv[1]))
for _ in sys.stdin:
    print(sum(len(detector.detect_emotions(cv2.imread(file))) for file in files), file=answers, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--photos", type=Path)
    source.add_argument("--faces", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of one call of a model, as in emolens.load; 0: all")
    parser.add_argument("--fer-python", type=Path)
    arguments = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        found = sorted((arguments.photos or written(arguments.faces, arguments.count, Path(folder))).glob("*.jpg"))
        files = list(islice(cycle(map(str, found)), arguments.count))
        console.print(speeds(files, arguments.threads, arguments.rounds, arguments.fer_python))
        console.print(memory(files, arguments.threads))


def written(table: Path, count: int, folder: Path) -> Path:
    photos = read_face_photos(table)
    for index, photo in enumerate(photos[:: max(1, len(photos) // count)][:count]):
        (folder / f"{index:05}.jpg").write_bytes(photo.image)
    return folder


def speeds(files: list[str], threads: int, rounds: int, fer_python: Path | None) -> Table:
    """Photographs per second, medians of rounds that take turns, with the faces that each finds in a round."""
    model = emolens.load("face", device="cpu", threads=threads)
    faces: dict[str, int] = {}

    def noting(name: str, found: Callable[[], int]) -> Callable[[], None]:
        return lambda: faces.update({name: found()})

    with ExitStack() as stack:
        passes = {
            MANY: lambda: sum(len(prediction.faces) for prediction in model.predict_many(files)),
            LOOP: lambda: sum(len(model.predict(file).faces) for file in files),
        }
        if fer_python:
            passes[FER] = stack.enter_context(fer(fer_python, files, mtcnn=False))
            passes[FER_MTCNN] = stack.enter_context(fer(fer_python, files, mtcnn=True))
        seconds = take_turns({name: noting(name, found) for name, found in passes.items()}, rounds)
    table = Table("", "photographs / s", "faces", f"{MANY} is x faster", "target x")
    for name, taken in seconds.items():
        ratio = f"{times_faster(seconds[MANY], taken):.2f}" if name != MANY else ""
        target = f">= {TARGET_RATIO[name]}" if name in TARGET_RATIO else ""
        table.add_row(name, f"{len(files) / median(taken):.1f}", str(faces[name]), ratio, target)
    return table


@contextmanager
def fer(python: Path, files: list[str], mtcnn: bool) -> Iterator[Callable[[], int]]:
    """A process with `fer`; what is given runs one pass over the files and returns the faces found."""
    process = subprocess.Popen(
        [python, "-c", FER_SCRIPT, json.dumps(mtcnn)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def say(line: str) -> None:
        stdin.write(line + "\n")
        stdin.flush()

    def found() -> int:
        say("once more")
        answer = stdout.readline()
        if not answer:
            raise SystemExit(f"fer does not run in {python}; what it says stands above")
        return int(answer)

    with process:
        say(json.dumps(files))
        yield found
        stdin.close()


def memory(files: list[str], threads: int) -> Table:
    """Resident memory of a fresh process per row."""
    table = Table("photographs", "MiB, median of the last 100", "MiB, most", "x first row")
    first = None
    for count in (len(files), 10 * len(files)):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            resident = pool.apply(resident_mib, (files, count, threads))
        first = first or median(resident[-100:])
        ratio = median(resident[-100:]) / first
        table.add_row(str(count), f"{median(resident[-100:]):.0f}", f"{max(resident):.0f}", f"{ratio:.2f}")
    return table


def resident_mib(files: list[str], count: int, threads: int) -> list[float]:
    """Resident memory as each result comes, the files repeated up to the count."""
    model = emolens.load("face", device="cpu", threads=threads)
    return [resident() for _ in model.predict_many(islice(cycle(files), count))]


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
