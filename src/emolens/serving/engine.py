"""Engine: photographs of concurrent requests -> predictions; the models, the processes and the order of the steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from emolens.look import Look
from emolens.policy import Policy
from emolens.predictor import Predictor
from emolens.results import Prediction
from emolens.serving.batcher import Batcher, Rows
from emolens.serving.errors import overloaded
from emolens.serving.looking import LookPool
from emolens.serving.metrics import Metrics
from emolens.serving.models import Served
from emolens.serving.settings import ServerSettings

# Much longer than any image within the limits takes, also where the deadline is short and the machine busy.
_HANGS_SECONDS = 30.0


@dataclass
class _Running:
    """A model at work.

    Attributes:
        served: the model.
        batcher: brings its faces together.
        images: that are on their way through it.
    """

    served: Served
    batcher: Batcher
    images: int = 0


class Engine:
    """Everything between an upload and its prediction.

    Decoding and detection run in processes, one per core, a call of the detector in one thread; the models run in one
    thread each. So the cores are shared out once, between images, and no call splits itself up over threads that others
    need.

    Args:
        served: the models, the one that answers by default first.
        settings: processes, batches.
        metrics: are told of the batches.
    """

    def __init__(self, served: Sequence[Served], settings: ServerSettings, metrics: Metrics) -> None:
        self.served = {one.name: one for one in served}
        self._default = served[0].name
        self._settings, self._metrics = settings, metrics
        self._models: dict[str, _Running] = {}
        self._looks: LookPool | None = None

    @property
    def default(self) -> Served:
        return self.served[self._default]

    def check_running(self) -> None:
        """Raises RequestError, 503, before `start` and after `stop`."""
        if self._looks is None:
            raise overloaded("not_ready", "the server is starting or stopping")

    def start(self) -> None:
        """To be called in the event loop that `predict` will run in."""
        # At the priority of the event loop: a lower one answers 503 a few milliseconds sooner, and gives a third of the
        # throughput to whatever else runs on the machine.
        # Nobody waits any more for an image whose process is ended for it.
        seconds = max(_HANGS_SECONDS, self._settings.deadline)
        self._looks = LookPool(self._settings.cores(), self.default.predictor.limits, seconds)
        for one in self.served.values():
            self._begin(one)

    async def stop(self) -> None:
        """Ends processes and threads; what still waits is given up."""
        looks, self._looks = self._looks, None
        if looks is not None:
            looks.stop()
        for model in self._models.values():
            await model.batcher.stop()

    async def replace(self, served: Served) -> None:
        """Answers with this model from now on in place of the one of its name; what that one has begun, it ends."""
        old = self._models[served.name]
        self._metrics.models.labels(*_labels(old.served)).set(0)
        self._begin(served)
        if not old.images:
            await old.batcher.stop()

    def _begin(self, served: Served) -> None:
        settings, classify = self._settings, served.predictor.classify_looks
        batcher = Batcher(classify, settings.batch, settings.batch_wait / 1e3, self._metrics.batch.observe)
        batcher.start()
        self._metrics.models.labels(*_labels(served)).set(1)
        self.served[served.name] = served
        self._models[served.name] = _Running(served, batcher)

    async def predict(self, data: bytes, name: str, policy: Policy, threshold: float | None = None) -> Prediction:
        """Reads one image.

        Args:
            data: the image file.
            name: of the model.
            policy: turns emotions into reactions.
            threshold: overrides those of policy and card.

        Returns:
            The prediction; its `milliseconds` have `wait`, for a process, and `classify`, with the wait for the batch.

        Raises:
            ImageError: it cannot be read.
            ModelError: the model fails.
            RequestError: 503, it is not running.
        """
        self.check_running()
        model = self._models[name]
        base = model.served.predictor
        predictor = Predictor(base.model, None, policy, threshold=threshold, limits=base.limits)
        start = perf_counter()
        model.images += 1
        try:
            look, rows = await self._seen(model, data)
        finally:
            model.images -= 1
            if not model.images and model is not self._models[name]:
                await model.batcher.stop()  # it has been replaced, and this was its last image
        passed = 1e3 * (perf_counter() - start) - sum(look.milliseconds.values())
        return predictor.decide(look, rows, look.milliseconds.get("classify", 0.0) + passed)

    async def _seen(self, model: _Running, data: bytes) -> tuple[Look, Rows]:
        assert self._looks is not None
        start = perf_counter()
        model.batcher.expect()
        try:
            look, rows = await self._looks.look(data, model.served.asked)
        finally:
            model.batcher.arrived()
        wait = 1e3 * (perf_counter() - start) - sum(look.milliseconds.values())
        look = replace(look, milliseconds={"wait": wait, **look.milliseconds})
        if rows is None:
            # A photograph without a face has nothing to wait for.
            rows = await model.batcher.rows(look) if len(look) else np.zeros((0, 0), np.float32)
        return look, rows


def _labels(served: Served) -> tuple[str, str, str]:
    return served.name, served.card.version, str(served.about.get("sha256", ""))
