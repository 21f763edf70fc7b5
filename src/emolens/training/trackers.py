"""Experiment trackers: TensorBoard, MLflow and Weights & Biases are told the recipe, the curves and what came of it."""

import glob
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from PIL import Image
from pydantic import Field, TypeAdapter, ValidationError

from emolens.errors import ConfigError, InterruptedTrainingError, MissingExtraError
from emolens.evaluation.plots import Counts, draw_confusion
from emolens.files import written_whole
from emolens.labels import did_you_mean
from emolens.training import processes
from emolens.training.run import Run

logger = logging.getLogger(__name__)

Outcome = Literal["finished", "failed", "killed"]

# Of the experiment or project, where the environment names none.
_PROJECT = "emolens"

# What MLflow takes: so many parameters at once, and, since 1.28, values of this length; `recipe.yaml` has them whole.
_MOST_PARAMETERS, _LONGEST_VALUE = 100, 500

# Long enough for a slow server and far from the four minutes that MLflow goes on trying by itself.
_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}

# Both libraries report to their makers unless told not to; what the user has set stands.
_NO_REPORTS = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}

# What the curves of Weights & Biases run over, by the name that Lightning gives it, and how its runs end.
_STEP = "trainer/global_step"
_EXIT_CODES: dict[Outcome, int] = {"finished": 0, "failed": 1, "killed": 255}

_PASSWORD = re.compile(r"(?<=//)[^/@\s]+@")
_LONGEST_REASON = 500

_Ids = dict[str, Annotated[str, Field(pattern=r"^\w[\w.-]{0,127}$")]]
_IDS: TypeAdapter[_Ids] = TypeAdapter(_Ids)
_IDS_BYTES = 4096


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
        self._open: list[_Tracker] = []

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
                raise ConfigError(f"{kind.title} cannot track this: {_reason(error)}; {kind.remedy}{again}") from None
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

    def _tell(self, what: Callable[["_Tracker"], None]) -> None:
        for tracker in tuple(self._open):
            try:
                what(tracker)
            except Exception as error:  # noqa: BLE001 (as in `start`; the training is worth more than its tracking)
                logger.warning("%s is given up, the training goes on: %s", tracker.title, _reason(error))
                self._open.remove(tracker)


class _Tracker(Protocol):
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


class _TensorBoard:
    title, remedy = "TensorBoard", "check that the run's folder can be written to"

    def __init__(self, run: Run, _known: str | None) -> None:
        self.id = None
        self.logger = TensorBoardLogger(run.folder, name="", version="logs")

    def add_recipe(self, run: Run) -> None:
        self._add_text("recipe", run.recipe_file.read_text(encoding="utf-8"))

    def add_confusion(self, picture: Image.Image, _matrix: Counts, _labels: Sequence[str]) -> None:
        self.logger.experiment.add_image("confusion", np.asarray(picture), dataformats="HWC")
        self.logger.experiment.flush()

    def add_model(self, path: Path) -> None:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._add_text("model", f"{path.resolve()}\n{path.stat().st_size} bytes\nsha256 {digest}")

    def close(self, _outcome: Outcome) -> None:
        self.logger.experiment.close()

    def _add_text(self, tag: str, text: str) -> None:
        # It shows Markdown, in which an indented line is shown as it is.
        self.logger.experiment.add_text(tag, "".join(f"    {line}\n" for line in text.splitlines()))
        self.logger.experiment.flush()


class _MLflow:
    title = "MLflow"
    remedy = "check MLFLOW_TRACKING_URI and, where it asks for them, MLFLOW_TRACKING_USERNAME and _PASSWORD"

    def __init__(self, run: Run, known: str | None) -> None:
        from mlflow import MlflowClient

        local = f"sqlite:///{_beside(run) / 'mlflow.db'}"
        uri = os.environ.get("MLFLOW_TRACKING_URI") or local
        # Lightning's own logger would set the URI for the whole process, and with it for the next training.
        self._client = MlflowClient(uri)
        if known:
            self._client.update_run(known, "RUNNING")
        self.id = known or self._begin(run, uri == local)
        self.logger = _Curves(self.title, self._log)
        logger.info("MLflow: run %s in %s", self.id, _without_password(uri))

    def add_recipe(self, run: Run) -> None:
        from mlflow.entities import Param

        parameters = [Param(key, value[:_LONGEST_VALUE]) for key, value in _flat(_settings(run))]
        for first in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(self.id, params=parameters[first : first + _MOST_PARAMETERS])
        self._client.log_artifact(self.id, str(run.recipe_file))

    def add_confusion(self, picture: Image.Image, matrix: Counts, labels: Sequence[str]) -> None:
        self._client.log_image(self.id, picture, "confusion.png")
        self._client.log_dict(self.id, {"labels": [*labels], "confusion": [[*row] for row in matrix]}, "confusion.json")

    def add_model(self, path: Path) -> None:
        self._client.log_artifact(self.id, str(path))

    def close(self, outcome: Outcome) -> None:
        # It prints the run's address, which is no output of a training.
        with redirect_stdout(sys.stderr):
            self._client.set_terminated(self.id, outcome.upper())

    def _begin(self, run: Run, locally: bool) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or _PROJECT
        experiment = self._client.get_experiment_by_name(name)
        # A server knows where its files belong; without one they would go into the working directory.
        files = (_beside(run) / "mlartifacts").as_uri() if locally else None
        number = experiment.experiment_id if experiment else self._client.create_experiment(name, files)
        begun: str = self._client.create_run(number, run_name=_name(run)).info.run_id
        return begun

    def _log(self, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self.id, metrics=[Metric(name, value, now, step) for name, value in metrics.items()])


class _WandB:
    title, remedy = "Weights & Biases", "run `wandb login`, or set WANDB_MODE=offline"

    def __init__(self, run: Run, known: str | None) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or _PROJECT,
            name=os.environ.get("WANDB_NAME") or _name(run),
            dir=os.environ.get("WANDB_DIR") or run.folder,
            config=_settings(run),
            id=known,
            resume="allow",
            reinit="create_new",
            force=True,
        )
        self.id = self._run.id
        self._run.define_metric(_STEP)
        self._run.define_metric("*", step_metric=_STEP)
        self.logger = _Curves(self.title, lambda metrics, step: self._run.log({**metrics, _STEP: step}))

    def add_recipe(self, run: Run) -> None:
        self._save(run.recipe_file)

    def add_confusion(self, picture: Image.Image, matrix: Counts, labels: Sequence[str]) -> None:
        import wandb

        rows = [[label, *row] for label, row in zip(labels, matrix, strict=True)]
        table = wandb.Table(columns=["truth", *labels], data=rows)
        self._run.log({"confusion": wandb.Image(picture), "confusion_table": table})

    def add_model(self, path: Path) -> None:
        self._save(path)

    def close(self, outcome: Outcome) -> None:
        self._run.finish(_EXIT_CODES[outcome])

    def _save(self, path: Path) -> None:
        # A link, as it makes by itself, would show what a later export writes there.
        copy = Path(self._run.dir) / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)  # there is none where WANDB_MODE is disabled
        shutil.copyfile(path, copy)
        self._run.save(glob.escape(str(copy)), base_path=copy.parent, policy="now")


_KINDS: dict[str, type[_Tracker]] = {"tensorboard": _TensorBoard, "mlflow": _MLflow, "wandb": _WandB}


class _Curves(Logger):
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
            logger.warning("%s gets no more curves, the training goes on: %s", self._title, _reason(error))
            self._failed = True


def _find(name: str) -> type[_Tracker]:
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


def _reason(error: Exception) -> str:
    """In one line that can be shown."""
    text = " ".join(_without_password(str(error)).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _without_password(text: str) -> str:
    return _PASSWORD.sub("", text)


def _settings(run: Run) -> dict[str, Any]:
    return run.recipe().model_dump(mode="json")


def _flat(values: Mapping[str, Any], parents: str = "") -> Iterator[tuple[str, str]]:
    """Keys as `--set` takes them."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _beside(run: Run) -> Path:
    return run.folder.resolve().parent


def _name(run: Run) -> str:
    return run.folder.resolve().name
