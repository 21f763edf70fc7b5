"""What every tracker fulfils, and what they share."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from lightning.pytorch.loggers import Logger
from PIL import Image

from emolens.evaluation.plots import Counts
from emolens.training.run import Run

Outcome = Literal["finished", "failed", "killed"]

PROJECT = "emolens"
"""The experiment or project, where the environment names none."""

_PASSWORD = re.compile(r"(?<=//)[^/@\s]+@")
_LONGEST_REASON = 500

_LOG = logging.getLogger(__name__)


class Tracker(Protocol):
    """What every tracker is told of a run; it may raise what it likes.

    Args:
        run: is to be tracked.
        known: the id of the tracked run to go on with.

    Attributes:
        title: what people call it.
        remedy: what to do if it cannot be reached.
        logger: takes the curves.
        id: of the tracked run, if that lives outside of the run's folder.
    """

    title: str
    remedy: str

    @property
    def logger(self) -> Logger: ...

    @property
    def id(self) -> str | None: ...

    def __init__(self, run: Run, known: str | None, /) -> None: ...

    def add_recipe(self, run: Run, /) -> None: ...

    def add_confusion(self, picture: Image.Image, matrix: Counts, labels: Sequence[str], /) -> None: ...

    def add_model(self, path: Path, /) -> None: ...

    def close(self, outcome: Outcome, /) -> None: ...


class Curves(Logger):
    """Hands a trainer's figures to a tracker, until that fails."""

    def __init__(self, title: str, log: Callable[[Mapping[str, float], int], None]) -> None:
        super().__init__()
        self._title, self._log, self._failed = title, log, False

    @property
    def name(self) -> str:
        return self._title

    @property
    def version(self) -> None:
        return None

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """The recipe has them all."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if self._failed:
            return
        try:
            self._log(metrics, step or 0)
        except Exception as error:  # noqa: BLE001 (as in `Trackers.start`)
            # Once is enough: MLflow tries for minutes, and the training waits as long.
            _LOG.warning("%s gets no more curves, the training goes on: %s", self._title, reason(error))
            self._failed = True


def reason(error: Exception) -> str:
    """Why something failed, in one line that can be shown."""
    text = " ".join(without_password(str(error)).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def without_password(text: str) -> str:
    """The text with its addresses, but for what stands before their hosts."""
    return _PASSWORD.sub("", text)


def settings(run: Run) -> dict[str, Any]:
    """The resolved recipe."""
    return run.recipe().model_dump(mode="json")


def beside(run: Run) -> Path:
    """The folder that the run lies in."""
    return run.folder.resolve().parent


def run_name(run: Run) -> str:
    """What the run is called: as its folder."""
    return run.folder.resolve().name
