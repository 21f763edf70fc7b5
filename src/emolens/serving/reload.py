"""Models whose files are replaced while the server runs."""

import asyncio
import logging

from emolens.serving.engine import Engine
from emolens.serving.logs import LOGGER
from emolens.serving.metrics import Metrics
from emolens.serving.models import Served, stamp_of

_LOG = logging.getLogger(LOGGER)

_SECONDS = 1.0


async def follow(engine: Engine, metrics: Metrics) -> None:
    """Puts in each model anew whose file has been replaced, for as long as it is not cancelled.

    Whatever is wrong with a new file, the old model stays. What reads and opens files is done in a thread.
    """
    files = [_File(one) for one in engine.served.values() if one.stamp is not None]
    while files:
        await asyncio.sleep(_SECONDS)
        for file in files:
            name = file.served.name
            try:
                reopened = await asyncio.to_thread(file.reopened)
            except Exception as error:  # noqa: BLE001 (a file may be anything, and the next one is to be seen, too)
                metrics.reloads.labels(name, "failed").inc()
                _LOG.error("model not replaced", extra={"fields": {"model": name, "why": str(error)}})
                continue
            if reopened is not None:
                await engine.replace(reopened)
                metrics.reloads.labels(name, "done").inc()
                about = {"version": reopened.card.version, "sha256": reopened.about["sha256"]}
                _LOG.info("model replaced", extra={"fields": {"model": name, **about}})


class _File:
    """A model's file, looked at time and again."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._tried = self._last = served.stamp

    def reopened(self) -> Served | None:
        """The model, if its file is another, and has been still since the last look; whoever writes it has ended then.

        Raises:
            ModelError: it cannot be used; it is not tried again before it changes.
        """
        stamp = stamp_of(self.served.path)
        is_still, self._last = stamp == self._last, stamp
        if not is_still or stamp in (None, self._tried):
            return None
        self._tried = stamp
        reopened = self.served.reopened()
        if reopened.stamp != stamp or stamp_of(self.served.path) != stamp:
            self._tried = None  # it is being written after all
            return None
        if reopened.about["sha256"] == self.served.about["sha256"]:
            return None
        self.served = reopened
        return reopened
