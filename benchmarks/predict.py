"""Compares `predict_many` with a loop of `predict` and with the package `fer`, in photographs per second and memory.

    python benchmarks/predict.py --faces TABLE [--count 300] [--rounds 5] [--threads 0] [--fer-python PYTHON]

TABLE is what the detector is trained on. So many photographs of its held-out split, evenly spread, are written to a
temporary folder; the faces in the table tell what each way finds. PYTHON is the interpreter of an environment with
`fer` (25.10.3), run as it comes, with a cascade that looks for faces of 50 pixels and more alone, and with its MTCNN,
which finds small ones, too; without it, `fer` is left out. `predict_many` runs as it comes, searching every pixel of
such photographs, and with `detector_size` 128, for faces like those that the cascade looks for. Imports and the loading
of models are not counted. Memory is what `/proc` says of a fresh process (Linux), for the count and for ten times as
many photographs.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from turns import take_turns, times_faster

import emolens
from emolens.data.readers.faces import FacePhoto, read_face_photos
from emolens.detect.boxes import iou
from emolens.results import Box

Found = list[list[tuple[Box, str]]]
"""Per photograph, the boxes of the faces in it, and their likeliest emotions."""

MANY, LOOP, LARGE = "predict_many", "loop of predict", "predict_many, detector_size 128"
FER, FER_MTCNN = "fer", "fer, with MTCNN"
LARGE_SIZE, LARGE_FACE = 128, 50

# Of what stands beside it, and how many times as fast it should be.
TARGETS = {(MANY, LOOP): 1.3, (MANY, FER): 8}

# An overlap at which a box is a face of the table, and one under which it is none of what is known there.
SAME, FALSE = 0.35, 0.2

# Reads the files' names, then answers every line with what is found in one pass over them. What TensorFlow prints
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
    found = [detector.detect_emotions(cv2.imread(file)) for file in files]
    told = [
        [(list(map(int, face["box"])), max(face["emotions"], key=face["emotions"].get)) for face in faces]
        for faces in found
    ]
    print(json.dumps(told), file=answers, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of one call of a model, as in emolens.load; 0: all")
    parser.add_argument("--fer-python", type=Path)
    arguments = parser.parse_args()
    console = Console(width=140)
    held_out = [photo for photo in read_face_photos(arguments.faces) if photo.split == "val"]
    photos = held_out[:: max(1, len(held_out) // arguments.count)][: arguments.count]
    with tempfile.TemporaryDirectory() as folder:
        files = written(photos, Path(folder))
        seconds, found = measured(files, arguments.threads, arguments.rounds, arguments.fer_python)
        console.print(speeds(len(photos), seconds))
        console.print(findings(photos, found))
        console.print(memory(files, arguments.threads))


def written(photos: Sequence[FacePhoto], folder: Path) -> list[str]:
    files = [folder / f"{index:05}.jpg" for index in range(len(photos))]
    for file, photo in zip(files, photos, strict=True):
        file.write_bytes(photo.image)
    return list(map(str, files))


def measured(
    files: list[str], threads: int, rounds: int, fer_python: Path | None
) -> tuple[dict[str, list[float]], dict[str, Found]]:
    """Seconds of each way and round, in turns, and what each way finds."""
    model = emolens.load("face", device="cpu", threads=threads)
    large = emolens.load("face", device="cpu", threads=threads, detector_size=LARGE_SIZE)
    found: dict[str, Found] = {}

    def noting(name: str, step: Callable[[], Found]) -> Callable[[], None]:
        return lambda: found.update({name: step()})

    with ExitStack() as stack:
        passes: dict[str, Callable[[], Found]] = {
            MANY: lambda: [faces_of(result) for result in model.predict_many(files)],
            LOOP: lambda: [faces_of(model.predict(file)) for file in files],
            LARGE: lambda: [faces_of(result) for result in large.predict_many(files)],
        }
        if fer_python:
            passes[FER] = stack.enter_context(fer(fer_python, files, mtcnn=False))
            passes[FER_MTCNN] = stack.enter_context(fer(fer_python, files, mtcnn=True))
        return take_turns({name: noting(name, step) for name, step in passes.items()}, rounds), found


def faces_of(result: emolens.Prediction | emolens.Failure) -> list[tuple[Box, str]]:
    if isinstance(result, emolens.Failure):
        raise SystemExit(result.message)
    return [(face.box, face.dominant) for face in result.faces]


def speeds(count: int, seconds: dict[str, list[float]]) -> Table:
    """Photographs per second, medians of the rounds; the ratios are medians of those of each round."""
    table = Table("", "photographs / s", f"{MANY} is x faster", f"{LARGE} is x faster")
    for name, taken in seconds.items():
        ratios = []
        for own in (MANY, LARGE):
            target = f" (line {TARGETS[own, name]})" if (own, name) in TARGETS else ""
            ratios.append("" if name == own else f"{times_faster(seconds[own], taken):.2f}{target}")
        table.add_row(name, f"{count / median(taken):.1f}", *ratios)
    return table


def findings(photos: Sequence[FacePhoto], found: dict[str, Found]) -> Table:
    """How many of the table's faces each way finds, how many boxes hold nothing that is known there, and of how many
    of the larger faces that `predict_many` finds, too, it tells the same emotion.
    """
    table = Table("", "boxes", f"faces of {LARGE_FACE} px and more", "smaller faces", "false boxes", "same emotion")
    for name, whole in found.items():
        large, small, same, false = [], [], [], 0
        for photo, faces, reference in zip(photos, whole, found[MANY], strict=True):
            overlap = overlaps(photo.boxes, faces)
            for box, row in zip(photo.boxes, overlap, strict=True):
                (large if min(box[2:]) >= LARGE_FACE else small).append(row.max(initial=0) >= SAME)
            known = overlaps(np.concatenate([photo.boxes, photo.ignore]), faces)
            false += int((known.max(axis=0, initial=0) < FALSE).sum())
            for (box, emotion), row in zip(reference, overlaps(array_of(reference), faces), strict=True):
                if min(box[2:]) >= LARGE_FACE and row.max(initial=0) >= SAME:
                    same.append(faces[row.argmax()][1] == emotion)
        shares = [f"{sum(hits)} of {len(hits)}" for hits in (large, small)]
        alike = "" if name in (FER, FER_MTCNN) else f"{sum(same)} of {len(same)}"
        table.add_row(name, str(sum(map(len, whole))), *shares, str(false), alike)
    return table


def overlaps(boxes: NDArray[np.float32], faces: Sequence[tuple[Box, str]]) -> NDArray[np.float32]:
    """The intersection over union of every box with every face: `(N, 4)` -> `(N, M)`."""
    return iou(boxes, array_of(faces))


def array_of(faces: Sequence[tuple[Box, str]]) -> NDArray[np.float32]:
    return np.array([box for box, _ in faces], np.float32).reshape(-1, 4)


@contextmanager
def fer(python: Path, files: list[str], mtcnn: bool) -> Iterator[Callable[[], Found]]:
    """A process with `fer`; what is given runs one pass over the files and returns what is found."""
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

    def found() -> Found:
        say("once more")
        answer = stdout.readline()
        if not answer:
            raise SystemExit(f"fer does not run in {python}; what it says stands above")
        told: Found = json.loads(answer)
        return told

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
