"""TensorBoard: event files in the run's folder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image

from emolens.evaluation.plots import Counts
from emolens.training.run import Run
from emolens.training.trackers.base import Outcome


class TensorBoard:
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
