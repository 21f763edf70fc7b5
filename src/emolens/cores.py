"""How many cores there are to work with."""

import math
import os
from contextlib import suppress
from pathlib import Path

# Where Linux has what a container may use (cgroup v2), its root as seen from inside.
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Those that this process may use, and its container has the time of, where the system tells; else all."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(bound, _granted() or bound)


def _granted() -> int | None:
    """What a limit such as `docker run --cpus` leaves, whole cores, rounded up; None without one."""
    with suppress(OSError, ValueError):  # the time is `max` where there is no limit
        time, period = map(int, _CPU_MAX.read_text(encoding="ascii").split())
        return max(1, math.ceil(time / period))
    return None
