"""What Prometheus is told: counts, times and sizes; nothing of any person."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder in which processes share their figures; prometheus_client reads it when imported."""

_MODEL = ("model", "version", "sha256")

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one application; where processes share a folder, each of them tells the sum of all."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "emolens_requests", "Requests that have ended.", ["path", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "emolens_request_seconds", "Time of a request.", ["path"], buckets=_SECONDS, registry=self.registry
        )
        self._steps = Histogram(
            "emolens_step_seconds", "Time of a step.", ["step"], buckets=_SECONDS, registry=self.registry
        )
        self.waiting = self._gauge("emolens_images_waiting", "Images accepted and not yet answered.")
        self.held = self._gauge("emolens_upload_bytes", "Bytes of uploads that are held.")
        self.models = self._gauge(
            "emolens_model_info", "Processes that answer with this model; 0 once it has been replaced.", *_MODEL
        )
        self.reloads = Counter(
            "emolens_model_reloads",
            "Model files that were found replaced.",
            ["model", "result"],
            registry=self.registry,
        )
        self.streams = self._gauge("emolens_streams", "Streams that are open.")
        self.frames = Counter("emolens_frames", "Frames of streams.", ["result"], registry=self.registry)
        self.batch = Histogram(
            "emolens_batch_faces",
            "Faces in one call of the model.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=self.registry,
        )

    def answered(self, path: str, status: int, seconds: float, steps: Mapping[str, float]) -> None:
        """Counts a request; `steps` in milliseconds."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)
        for step, milliseconds in steps.items():
            self._steps.labels(step).observe(milliseconds / 1e3)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if folder is None:
            return generate_latest(self.registry)
        _forget_dead(Path(folder))
        everything = CollectorRegistry()
        MultiProcessCollector(everything, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everything)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        # The sum over the processes that live; what the others held is gone with them.
        return Gauge(name, what, labels, registry=self.registry, multiprocess_mode="livesum")


def _forget_dead(folder: Path) -> None:
    """Removes the gauges of processes that are no more; their counters stay, since a sum must not fall."""
    for path in folder.glob("gauge_livesum_*.db"):
        process = int(path.stem.rpartition("_")[2])
        if not _lives(process):
            with suppress(FileNotFoundError):  # another process was faster
                mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]


def _lives(process: int) -> bool:
    if os.name != "posix":  # elsewhere the question would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # it is no more, or its number is that of somebody else's by now
        return False
    return True
