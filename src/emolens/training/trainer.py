"""The Lightning trainer that every training shares."""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch.utils.data import DataLoader

from emolens.errors import ConfigError, InterruptedTrainingError
from emolens.training.module import NetworkModule
from emolens.training.run import Run, write_weights

# A Lightning module holds the network under this name.
_INNER = "network."

_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fit(
    module: NetworkModule, training: DataLoader[Any], held_out: DataLoader[Any], run: Run, resume: bool = False
) -> None:
    """Trains to the end of the module's plan and leaves the weights to keep inside.

    Args:
        module: what is trained, and how.
        training: batches, as the module takes them.
        held_out: likewise.
        run: for checkpoints and curves.
        resume: go on from the run's last checkpoint.

    Raises:
        ConfigError: the device is not there, or cannot calculate at this precision.
        InterruptedTrainingError: the user stopped it.
    """
    with quiet_lightning():
        trainer = make_trainer(run, module)
        trainer.fit(module, training, held_out, ckpt_path=run.checkpoint if resume else None, weights_only=True)
    if module.plan.patience:
        run.load_best(module.network)


def make_trainer(run: Run, module: NetworkModule) -> lightning.Trainer:
    """A trainer that averages weights, checkpoints every epoch and logs into the run's directory.

    Raises:
        ConfigError: the device is not there, or cannot calculate at this precision.
    """
    plan, monitor, mode = module.plan, module.monitor, module.mode
    callbacks: list[Callback] = [
        # Before the last ones, which remember for a resumed training how good the best was.
        _BestWeights(run.best.parent, run.best.stem, monitor=monitor, mode=mode, enable_version_counter=False),
        # `save_last` alone would write nothing before the end, and a second file of the same name a "last-v1".
        ModelCheckpoint(run.checkpoint.parent, run.checkpoint.stem, enable_version_counter=False),
        LearningRateMonitor("step"),
        _StopAfterStep(run),
    ]
    if plan.ema:
        callbacks.insert(0, EMAWeightAveraging(decay=plan.ema))
    if plan.patience:
        callbacks.append(EarlyStopping(monitor, mode=mode, patience=plan.patience))
    try:
        return lightning.Trainer(
            accelerator=plan.device,
            devices=1,
            max_epochs=plan.epochs,
            precision=_PRECISION[plan.precision],  # type: ignore[arg-type]
            gradient_clip_val=plan.clip,
            accumulate_grad_batches=plan.accumulate,
            callbacks=callbacks,
            plugins=[_WeightsApart()],
            logger=TensorBoardLogger(run.folder, name="", version="logs"),
            num_sanity_val_steps=0,
            enable_model_summary=False,
            enable_progress_bar=os.isatty(2),
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"device {plan.device} with precision {plan.precision} cannot be used here: {reason}; "
            "try --set optimisation.device=cpu --set optimisation.precision=fp32"
        ) from None


class _WeightsApart(TorchCheckpointIO):
    """Writes the network's weights as safetensors, and beside the last ones what a resumed training needs."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        state = checkpoint["state_dict"]
        network = {name.removeprefix(_INNER): value for name, value in state.items() if name.startswith(_INNER)}
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_weights(network, Path(path).with_suffix(_BestWeights.FILE_EXTENSION))
        if Path(path).suffix == ModelCheckpoint.FILE_EXTENSION:
            super().save_checkpoint(checkpoint, path, storage_options)


class _BestWeights(ModelCheckpoint):
    FILE_EXTENSION = ".safetensors"


class _StopAfterStep(Callback):
    """Lets Ctrl-C end the training after the step, with a checkpoint."""

    def __init__(self, run: Run) -> None:
        self.run, self.pressed = run, False

    def on_fit_start(self, *_: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._press)

    def _press(self, *_: Any) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, self.before)  # a second time ends it at once

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        if self.pressed:
            trainer.save_checkpoint(self.run.checkpoint)
            raise InterruptedTrainingError(
                f"stopped in epoch {trainer.current_epoch + 1}; add --resume to the same command to go on"
            )

    def teardown(self, *_: Any, **__: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.before)


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
