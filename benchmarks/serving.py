"""Compares `emolens serve` with three ways of putting the same predictor behind HTTP.

    python benchmarks/serving.py --photos FOLDER [--rounds 3] [--seconds 8] [--litserve-python PYTHON]

The peers (`peers.py`, `litserve_peer.py`): an `async def` handler that calls the predictor inline, a handler in
FastAPI's pool of threads, and LitServe, as it comes and with a worker process per core. All have the same models, one
thread for a call of a model, the same photographs as multipart forms, and the load of `load.py` beside them on the same
machine. They take turns, each started anew in every round; a first load that is not counted warms it up. PYTHON is the
interpreter of an environment with LitServe (0.2.19) and emolens; without it, LitServe is left out. Processor time per
answer is compared with that of the bare predictor per photograph, in a loop of one thread in a process of its own.
"""

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table
from servers import load, percentile, running

OURS = "emolens serve"
CLIENTS = (1, 8, 64)
WARM_UP_SECONDS = 3

BARE = """
import itertools, resource, sys, time
from pathlib import Path
import emolens
photos = [path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
model = emolens.load("face", device="cpu", threads=1)
for photo in photos: model.predict(photo)
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before, end, count = used(), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    for photo in photos: model.predict(photo)
    count += len(photos)
print((used() - before) / count)
"""


@dataclass(frozen=True)
class Figures:
    """Of one server under one load: answers per second, seconds, processor seconds per answer, and failures."""

    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--litserve-python", type=Path)
    arguments = parser.parse_args()
    uvicorn = [sys.executable, "-m", "uvicorn", "--port", "PORT", "--log-level", "warning", "--factory"]
    commands = {
        OURS: [sys.executable, "-m", "emolens", "serve", "--port", "PORT"],
        "async def, inline": [*uvicorn, "peers:inline"],
        "pool of threads": [*uvicorn, "peers:pooled"],
    }
    if arguments.litserve_python:
        peer = [str(arguments.litserve_python), str(Path(__file__).with_name("litserve_peer.py")), "PORT"]
        commands["LitServe"] = [*peer, "1"]
        commands["LitServe, a worker per core"] = [*peer, str(os.cpu_count())]
    measured: dict[tuple[str, int], list[Figures]] = defaultdict(list)
    memory: dict[str, list[float]] = defaultdict(list)
    bare: list[float] = []
    for _ in range(arguments.rounds):
        bare.append(bare_seconds(arguments.photos, arguments.seconds))
        for name, command in commands.items():
            with running(command) as server:
                load(server, arguments.photos, "closed", WARM_UP_SECONDS, clients=8)
                for clients in CLIENTS:
                    before = server.cpu_seconds()
                    answers = load(server, arguments.photos, "closed", arguments.seconds, clients=clients)
                    used = server.cpu_seconds() - before
                    good = [seconds for _, seconds in answers.get(200, [])]
                    failed = sum(len(found) for status, found in answers.items() if status != 200)
                    # The last answers come after the time is over.
                    lasted = max(at + seconds for at, seconds in answers[200])
                    figures = Figures(
                        len(good) / lasted,
                        percentile(good, 0.5),
                        percentile(good, 0.99),
                        used / len(good),
                        failed,
                    )
                    measured[name, clients].append(figures)
                memory[name].append(server.mib(most=True))
    console = Console(width=140)
    console.print(f"bare predictor, one thread: {1e3 * median(bare):.1f} ms of the processor per photograph")
    console.print(table(measured, memory, bare))


def bare_seconds(photos: Path, seconds: float) -> float:
    """Processor seconds per photograph of a loop of `predict`."""
    command = [sys.executable, "-c", BARE, str(photos), str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def table(measured: dict[tuple[str, int], list[Figures]], memory: dict[str, list[float]], bare: list[float]) -> Table:
    """Medians over the rounds; the ratios are of figures of the same round."""
    columns = ("requests / s", "ours x", "p50 ms", "p99 ms", "ours x", "CPU ms", "of bare", "failed", "peak MiB")
    shown = Table("clients", "server", *columns)
    for (name, clients), figures in sorted(measured.items(), key=lambda item: item[0][1]):
        ours = measured[OURS, clients]
        rates = [own.rate / one.rate for own, one in zip(ours, figures, strict=True)]
        tails = [one.p99 / own.p99 for own, one in zip(ours, figures, strict=True)]
        shares = [one.cpu / each for one, each in zip(figures, bare, strict=True)]
        shown.add_row(
            str(clients),
            name,
            f"{median(one.rate for one in figures):.1f}",
            "" if name == OURS else f"{median(rates):.2f}",
            f"{1e3 * median(one.p50 for one in figures):.0f}",
            f"{1e3 * median(one.p99 for one in figures):.0f}",
            "" if name == OURS else f"{median(tails):.2f}",
            f"{1e3 * median(one.cpu for one in figures):.1f}",
            f"{median(shares):.2f}",
            str(sum(one.failed for one in figures)),
            f"{median(memory[name]):.0f}",
        )
    return shown


if __name__ == "__main__":
    main()
