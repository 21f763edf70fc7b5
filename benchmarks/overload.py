"""Puts three times the load on `emolens serve` that it can answer, for minutes, and says how it fares.

    python benchmarks/overload.py --photos FOLDER [--minutes 5] [--times 3]

First what it can answer: as many clients as its queue takes, each of which sends the next photograph when the last is
answered; that is full load. Then photographs come at `times` that rate, whether or not others are answered. Times of
503 are the server's own, from its log: from the head of a request to its answer. Light load, two clients, before and
after, shows whether anything is left of it.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from servers import Answers, load, percentile, running

QUEUE = 64
LIGHT = 2
SECONDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--times", type=float, default=3)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "emolens", "serve", "--port", "PORT"]
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryFile("w+") as log, running(command, log) as server:
        load(server, arguments.photos, "closed", SECONDS, clients=QUEUE)
        before = load(server, arguments.photos, "closed", SECONDS, clients=LIGHT)
        full = load(server, arguments.photos, "closed", SECONDS, clients=QUEUE)
        rate = len(full[200]) / max(at + seconds for at, seconds in full[200])
        log_from = log.seek(0, 2)
        ended = threading.Event()

        def watch() -> None:
            start = time.monotonic()
            while not ended.wait(1):
                memory.append((time.monotonic() - start, server.mib()))

        watching = threading.Thread(target=watch)
        watching.start()
        answers = load(server, arguments.photos, "open", 60 * arguments.minutes, rate=arguments.times * rate)
        ended.set()
        watching.join()
        log.seek(log_from)
        refused = [
            line["milliseconds"]["total"] / 1e3
            for line in map(json.loads, log)
            if line.get("event") == "request" and line.get("status") == 503
        ]
        health = server.get("/health").decode()
        after = load(server, arguments.photos, "closed", SECONDS, clients=LIGHT)
    console = Console(width=120)
    console.print(f"full load: {rate:.1f} photographs a second; then {arguments.times:g} times that")
    console.print(table({"light, before": before, "full": full, "overload": answers, "light, after": after}))
    bound = 60 * (arguments.minutes - 1)
    first = [mib for at, mib in memory if at < 60]
    last = [mib for at, mib in memory if at >= bound]
    ratio = percentile(seconds_of(answers, 200), 0.99) / percentile(seconds_of(full, 200), 0.99)
    console.print(f"accepted, p99: {ratio:.2f} x that of full load (line 2)")
    console.print(f"503, the server's own p95: {1e3 * percentile(refused, 0.95):.1f} ms (line 50), of {len(refused)}")
    console.print(
        f"memory, mean of the first minute {sum(first) / len(first):.0f} MiB, of the last "
        f"{sum(last) / len(last):.0f} MiB: {sum(last) / len(last) / (sum(first) / len(first)):.3f} x (line 1.05)"
    )
    console.print(f"/health afterwards: {health}")


def seconds_of(answers: Answers, status: int) -> list[float]:
    return [seconds for _, seconds in answers.get(status, [])]


def table(loads: dict[str, Answers]) -> Table:
    """What clients saw."""
    shown = Table("load", "status", "answers", "p50 ms", "p95 ms", "p99 ms")
    for name, answers in loads.items():
        for status in sorted(answers):
            found = seconds_of(answers, status)
            times = [f"{1e3 * percentile(found, share):.0f}" for share in (0.5, 0.95, 0.99)]
            shown.add_row(name, str(status or "none"), str(len(found)), *times)
    return shown


if __name__ == "__main__":
    main()
