"""MLflow: a server, or a file beside the run."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from PIL import Image

from emolens.evaluation.plots import Counts
from emolens.training.run import Run
from emolens.training.trackers.base import PROJECT, Curves, Outcome, beside, run_name, settings, without_password

# What it takes: so many parameters at once, and, since 1.28, values of this length; `recipe.yaml` has them whole.
_MOST_PARAMETERS, _LONGEST_VALUE = 100, 500

_LOG = logging.getLogger(__name__)


class MLflow:
    title = "MLflow"
    remedy = "check MLFLOW_TRACKING_URI and, where it asks for them, MLFLOW_TRACKING_USERNAME and _PASSWORD"

    def __init__(self, run: Run, known: str | None) -> None:
        from mlflow import MlflowClient

        local = f"sqlite:///{beside(run) / 'mlflow.db'}"
        uri = os.environ.get("MLFLOW_TRACKING_URI") or local
        # Lightning's own logger would set the URI for the whole process, and with it for the next training.
        self._client = MlflowClient(uri)
        if known:
            self._client.update_run(known, "RUNNING")
        self.id = known or self._begin(run, uri == local)
        self.logger = Curves(self.title, self._log)
        _LOG.info("MLflow: run %s in %s", self.id, without_password(uri))

    def add_recipe(self, run: Run) -> None:
        from mlflow.entities import Param

        parameters = [Param(key, value[:_LONGEST_VALUE]) for key, value in _flat(settings(run))]
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
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        experiment = self._client.get_experiment_by_name(name)
        # A server knows where its files belong; without one they would go into the working directory.
        files = (beside(run) / "mlartifacts").as_uri() if locally else None
        number = experiment.experiment_id if experiment else self._client.create_experiment(name, files)
        begun: str = self._client.create_run(number, run_name=run_name(run)).info.run_id
        return begun

    def _log(self, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self.id, metrics=[Metric(name, value, now, step) for name, value in metrics.items()])


def _flat(values: Mapping[str, Any], parents: str = "") -> Iterator[tuple[str, str]]:
    """Keys as `--set` takes them."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
