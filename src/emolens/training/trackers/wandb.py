"""Weights & Biases: its service, or a folder of its own in the run's."""

import glob
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from emolens.evaluation.plots import Counts
from emolens.training.run import Run
from emolens.training.trackers.base import PROJECT, Curves, Outcome, run_name, settings

# What its curves run over, by the name that Lightning gives it, and how its runs end.
_STEP = "trainer/global_step"
_EXIT_CODES: dict[Outcome, int] = {"finished": 0, "failed": 1, "killed": 255}


class WandB:
    title, remedy = "Weights & Biases", "run `wandb login`, or set WANDB_MODE=offline"

    def __init__(self, run: Run, known: str | None) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDBPROJECT") or PROJECT,
            name=os.environ.get("WANDB_NAME") or run_name(run),
            dir=os.environ.get("WANDB_DIR") or run.folder,
            config=settings(run),
            id=known,
            resume="allow",
            reinit="create_new",
            force=True,
        )
        self.id = self._run.id
        self._run.define_metric(_STEP)
        self._run.define_metric("*", step_metric=_STEP)
        self.logger = Curves(self.title, lambda metrics, step: self._run.log({**metrics, _STEP: step}))

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
