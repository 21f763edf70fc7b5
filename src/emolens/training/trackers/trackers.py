"""Trackers: all that a training was asked for, as one."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Annotated

from lightning.pytorch.loggers import Logger
from lightning.pytorch.loggers.logger import DummyLogger
from pydantic import Field, TypeAdapter, ValidationError

from emolens.errors import ConfigError, InterruptedTrainingError, MissingExtraError
from emolens.evaluation.plots import Counts, draw_confusion
from emolens.files import written_whole
from emolens.labels import did_you_mean
from emolens.training import processes
from emolens.training.run import Run
from emolens.training.trackers.base import Outcome, Tracker, reason
from emolens.training.trackers.mlflow import MLflow
from emolens.training.trackers.tensorboard import TensorBoard
from emolens.training.trackers.wandb import WandB

_KINDS: dict[str, type[Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": WandB}

# Long enough for a slow server and far from the four minutes that MLflow goes on trying by itself.
_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}

# Both libraries report to their makers unless told not to; what the user has set stands.
_NO_REPORTS = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}

_Ids = dict[str, Annotated[str, Field(pattern=r"^\w[\w.-]{0,127}$")]]
_IDS: TypeAdapter[_Ids] = TypeAdapter(_Ids)
_IDS_BYTES = 4096

_LOG = logging.getLogger(__name__)


class Trackers(AbstractContextManager["Trackers"]):
    """The trackers that a training was asked for; at the end of a `with` they learn how it ended.

    Each is set up by its own environment variables. Nothing is tracked before `start`. A tracker that fails later, say
    because its server is gone, is given up with a warning: no training ends for it. In a training of several processes
    only the first one tracks.

    Args:
        names: which ones, of `tensorboard`, `mlflow` and `wandb`.

    Raises:
        ConfigError: there is no such tracker.
        MissingExtraError: the library of one is not installed.
    """

    def __init__(self, names: Iterable[str] = ("tensorboard",)) -> None:
        self._kinds = {name: _find(name) for name in names}
        self._open: list[Tracker] = []

    @property
    def loggers(self) -> list[Logger]:
        """What a Lightning trainer writes the curves to; never empty, since some of its callbacks insist on one."""
        return [tracker.logger for tracker in self._open] or [DummyLogger()]

    def start(self, run: Run, resume: bool = False) -> None:
        """Opens every tracker and tells it the run's recipe.

        Args:
            run: has its recipe; keeps the trackers' ids of it, by which a resumed training finds them again.
            resume: go on in the tracked runs that the run names.

        Raises:
            ConfigError: a tracker cannot be reached, refuses, or the run's file of ids is damaged.
        """
        if processes.rank() > 0:
            return
        file = run.folder / "tracking.json"
        ids = _read_ids(file) if resume else {}
        for name, kind in self._kinds.items():
            known = ids.get(name)
            try:
                with _impatient():
                    tracker = kind(run, known)
                    self._open.append(tracker)
                    tracker.add_recipe(run)
            except Exception as error:  # noqa: BLE001 (each raises the errors of its HTTP library, database and schema)
                again = f", or delete {file} to begin a new one" if known else ""
                raise ConfigError(f"{kind.title} cannot track this: {reason(error)}; {kind.remedy}{again}") from None
            if tracker.id:
                ids[name] = tracker.id
        if ids:
            with written_whole(file) as unfinished:
                unfinished.write_bytes(_IDS.dump_json(ids))
        else:
            file.unlink(missing_ok=True)

    def add_confusion(self, matrix: Counts, labels: Sequence[str]) -> None:
        """Adds a confusion matrix as a picture and, where there is a place for it, as data.

        Args:
            matrix: `(L, L)` counts; rows are the truth, columns the prediction.
            labels: the L names.
        """
        if self._open:
            picture = draw_confusion(matrix, labels)
            self._tell(lambda tracker: tracker.add_confusion(picture, matrix, labels))

    def add_model(self, path: Path) -> None:
        """Adds the model file."""
        self._tell(lambda tracker: tracker.add_model(path))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome: Outcome = "finished"
        if kind is not None:
            # What is no Exception is a Ctrl-C or a signal's end of the process.
            stopped = issubclass(kind, InterruptedTrainingError) or not issubclass(kind, Exception)
            outcome = "killed" if stopped else "failed"
        self._tell(lambda tracker: tracker.close(outcome))
        self._open.clear()

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        for tracker in tuple(self._open):
            try:
                what(tracker)
            except Exception as error:  # noqa: BLE001 (as in `start`; the training is worth more than its tracking)
                _LOG.warning("%s is given up, the training goes on: %s", tracker.title, reason(error))
                self._open.remove(tracker)


def _find(name: str) -> type[Tracker]:
    if name not in _KINDS:
        raise ConfigError(f"'{name}' is no tracker{did_you_mean(name, _KINDS)}")
    for variable, value in _NO_REPORTS.items():
        os.environ.setdefault(variable, value)
    try:
        import_module(name)
    except ModuleNotFoundError:
        raise MissingExtraError("track", f"to track a training with {_KINDS[name].title}") from None
    return _KINDS[name]


def _read_ids(file: Path) -> _Ids:
    try:
        with file.open("rb") as stream:
            return _IDS.validate_json(stream.read(_IDS_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError):
        raise ConfigError(f"{file} is damaged; delete it to begin new tracked runs") from None


@contextmanager
def _impatient() -> Iterator[None]:
    """Lets MLflow fail soon, unless the user has set how patient it is."""
    added = {name: value for name, value in _IMPATIENT.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
