"""Engine: photographs of concurrent requests -> predictions; the models, the threads and the order of the steps."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from emolens.card import ModelCard
from emolens.detect.base import Detector
from emolens.errors import ConfigError
from emolens.image import Limits
from emolens.policy import Policy
from emolens.predictor import Look, Predictor, open_classifier, open_detector
from emolens.results import Prediction
from emolens.serving.batcher import Batcher, Rows
from emolens.serving.metrics import Metrics
from emolens.serving.settings import ServerSettings

# No file of the client's has a name here: names stand in messages, and may be anything.
_NAME = "file"


@dataclass(frozen=True)
class Served:
    """A model that is open.

    Attributes:
        name: by which clients ask for it.
        predictor: with the model and its detector; the policy is each request's own.
        about: of the model: `name, version, sha256`.
    """

    name: str
    predictor: Predictor
    about: dict[str, Any]

    @property
    def card(self) -> ModelCard:
        return self.predictor.model.card


class Engine:
    """Everything between an upload and its prediction.

    Decoding and detection run in a pool with one thread per core, a call of the detector in one thread; the models run
    in one thread each. So the cores are shared out once, between images, and no call splits itself up over threads
    that others need.

    Args:
        served: the models, the one that answers by default first.
        settings: threads, batches.
        metrics: are told of the batches.
    """

    def __init__(self, served: Sequence[Served], settings: ServerSettings, metrics: Metrics) -> None:
        self.served = {one.name: one for one in served}
        self.default = served[0]
        self._settings, self._metrics = settings, metrics
        self._batchers: dict[str, Batcher] = {}
        self._pool: ThreadPoolExecutor | None = None

    @property
    def running(self) -> bool:
        return self._pool is not None

    def start(self) -> None:
        """To be called in the event loop that `predict` will run in."""
        self._pool = ThreadPoolExecutor(self._settings.cores(), thread_name_prefix="emolens-look")
        for name, one in self.served.items():
            batcher = Batcher(
                one.predictor.classify_looks,
                self._settings.batch,
                self._settings.batch_wait / 1e3,
                self._metrics.batch.observe,
            )
            batcher.start()
            self._batchers[name] = batcher

    async def stop(self) -> None:
        """Ends the threads; what still waits is given up."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        for batcher in self._batchers.values():
            await batcher.stop()

    async def predict(self, data: bytes, name: str, policy: Policy, threshold: float | None = None) -> Prediction:
        """Reads one image.

        Args:
            data: the image file.
            name: of the model.
            policy: turns emotions into reactions.
            threshold: overrides those of policy and card.

        Returns:
            The prediction; its `milliseconds` have `wait`, for a thread, and `classify`, with the wait for the batch.

        Raises:
            ImageError: it cannot be read.
            ModelError: the model fails.
        """
        base = self.served[name].predictor
        predictor = Predictor(base.model, base.detector, policy, threshold=threshold, limits=base.limits)
        start = perf_counter()
        look, rows = await self._seen(predictor, self._batchers[name], data)
        passed = 1e3 * (perf_counter() - start) - sum(look.milliseconds.values())
        return predictor.decide(look, rows, passed)

    async def _seen(self, predictor: Predictor, batcher: Batcher, data: bytes) -> tuple[Look, Rows]:
        start = perf_counter()
        batcher.expect()
        try:
            look = await asyncio.get_running_loop().run_in_executor(self._pool, predictor.look, data, _NAME)
        finally:
            batcher.arrived()
        wait = 1e3 * (perf_counter() - start) - sum(look.milliseconds.values())
        look = replace(look, milliseconds={"wait": wait, **look.milliseconds})
        # A photograph without a face has nothing to wait for.
        return look, await batcher.rows(look) if len(look) else np.zeros((0, 0), np.float32)


def open_models(settings: ServerSettings, limits: Limits) -> list[Served]:
    """Opens the models of the settings.

    Raises:
        ConfigError: there is none, or two have the same name.
        ModelError: one is missing or damaged.
    """
    detector: Detector | None = None
    served: list[Served] = []
    for name in filter(None, (part.strip() for part in settings.models.split(","))):
        model = open_classifier(name, threads=1)
        if model.card.kind == "face" and detector is None:
            detector = open_detector("detector", threads=1)
        predictor = Predictor(
            model, detector if model.card.kind == "face" else None, Policy.load("social"), limits=limits
        )
        served.append(Served(Path(name).stem if name.endswith(".onnx") else name, predictor, model.about))
    if not served:
        raise ConfigError("EMOLENS_SERVE_MODELS names no model")
    if len({one.name for one in served}) < len(served):
        raise ConfigError("EMOLENS_SERVE_MODELS names two models alike; give one of the files another name")
    return served
