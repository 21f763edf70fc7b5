"""What benchmarks share that compare things in one run: they take turns."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def take_turns(steps: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds per step and round, so that a busy moment hits all alike; a first round, not counted, warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return {name: taken[1:] for name, taken in seconds.items()}


def times_faster(fast: list[float], slow: list[float]) -> float:
    """The median over the rounds, of which each compares what ran side by side."""
    return median(other / own for own, other in zip(fast, slow, strict=True))
