"""What Prometheus is told: counts, times and sizes; nothing of any person."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one application."""

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
        self.waiting = Gauge("emolens_images_waiting", "Images accepted and not yet answered.", registry=self.registry)
        self.held = Gauge("emolens_upload_bytes", "Bytes of uploads that are held.", registry=self.registry)
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
        return generate_latest(self.registry)
