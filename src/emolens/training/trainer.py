"""The Lightning trainer that every training shares."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from emolens.training.run import Run


def make_trainer(run: Run, epochs: int, precision: str, ema: float) -> lightning.Trainer:
    """A trainer that averages weights, checkpoints every epoch and logs into the run's directory."""
    return lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        precision=precision,  # type: ignore[arg-type]
        callbacks=[
            EMAWeightAveraging(decay=ema),
            # `save_last` alone would write nothing before the end, and a second file of the same name a "last-v1".
            ModelCheckpoint(run.checkpoint.parent, run.checkpoint.stem, enable_version_counter=False),
            LearningRateMonitor("step"),
        ],
        logger=TensorBoardLogger(run.folder, name="", version="logs"),
        num_sanity_val_steps=0,
        enable_model_summary=False,
        enable_progress_bar=os.isatty(2),
    )


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keeps Lightning's advice and inner warnings, on which no user of a recipe can act, out of the output."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PossibleUserWarning)
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
        warnings.filterwarnings("ignore", message="The dirpath has changed")
        try:
            yield
        finally:
            logger.setLevel(level)
