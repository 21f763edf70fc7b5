"""The Lightning trainer that every training shares."""

import logging
import math
import os
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import lightning
import numpy as np
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader

from emolens.errors import ConfigError, InterruptedTrainingError
from emolens.files import written_whole
from emolens.training import processes
from emolens.training.module import NetworkModule
from emolens.training.order import Order
from emolens.training.run import Run, write_weights

# A Lightning module holds the network under this name.
_INNER = "network."

_SECONDS_UNSAVED = 600

_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fit(
    module: NetworkModule,
    training: DataLoader[Any],
    held_out: DataLoader[Any],
    run: Run,
    loggers: Sequence[Logger],
    resume: bool = False,
) -> None:
    """Trains to the end of the module's plan and leaves the weights to keep inside.

    Args:
        module: what is trained, and how.
        training: batches, as the module takes them, in an `Order`.
        held_out: batches.
        run: for checkpoints. Of several processes only the first leaves the weights to keep inside.
        loggers: get the curves.
        resume: go on from the run's last checkpoint.

    Raises:
        ConfigError: the device is not there, or cannot calculate at this precision.
        InterruptedTrainingError: the user stopped it.
    """
    assert isinstance(training.batch_sampler, Order)
    # Lightning's own count would begin to draw samples before a checkpoint is read.
    module.steps = module.plan.epochs * math.ceil(len(training) / module.plan.accumulate)
    with quiet_lightning(), _ctrl_c_noticed() as pressed:
        trainer = make_trainer(run, module, training.batch_sampler, loggers, pressed)
        trainer.fit(module, training, held_out, ckpt_path=run.checkpoint if resume else None, weights_only=True)
    if processes.rank() == 0:
        # From the file, since a training that was over before it was resumed has not put its averages into the network.
        run.load_checkpoint(module.network, best=module.plan.patience is not None)
        module.to(trainer.strategy.root_device)


def make_trainer(
    run: Run, module: NetworkModule, order: Order, loggers: Sequence[Logger], pressed: Event
) -> lightning.Trainer:
    """A trainer that averages weights, leaves checkpoints in the run's directory, and stops when `pressed` is set.

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
        _Plateau(),
        _Repeatable(order),
        _MidEpoch(run, pressed),
    ]
    if plan.ema:
        callbacks.insert(0, EMAWeightAveraging(decay=plan.ema))
    if plan.patience:
        callbacks.append(_EarlyStopping(monitor, mode=mode, patience=plan.patience))
    try:
        return lightning.Trainer(
            accelerator=plan.device,
            devices=processes.count_here(),
            num_nodes=processes.count() // processes.count_here(),
            strategy="ddp" if processes.count() > 1 else "auto",
            use_distributed_sampler=False,
            max_epochs=plan.epochs,
            precision=_PRECISION[plan.precision],  # type: ignore[arg-type]
            gradient_clip_val=plan.clip,
            accumulate_grad_batches=plan.accumulate,
            callbacks=callbacks,
            plugins=[_WeightsApart()],
            logger=[*loggers],
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
            # Lightning writes to the folder for temporary files first, and copies where that is another disk.
            with written_whole(Path(path)) as unfinished:
                super().save_checkpoint(checkpoint, unfinished, storage_options)


class _BestWeights(ModelCheckpoint):
    """Remembers how good the best epoch was also where the run has been moved, which Lightning's own forgets."""

    FILE_EXTENSION = ".safetensors"

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(self.dirpath or "", Path(path).name)) if path else path

        paths = {name: here(path) for name, path in state_dict.items() if name.endswith("_path")}
        scores = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": scores, "dirpath": self.dirpath})


class _EarlyStopping(EarlyStopping):
    """Stays stopped when it is resumed."""

    def on_fit_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        trainer.should_stop = self.stopping_reason != EarlyStoppingReason.NOT_STOPPED


class _Repeatable(Callback):
    """Makes all that is random a function of the seed and of how far the training is."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def setup(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        # A checkpoint that was written at the end of a batch counts it as processed, not yet as completed.
        progress: Any = trainer.fit_loop.epoch_loop.batch_progress.total
        self.order.batches_done = lambda: progress.processed

    def state_dict(self) -> dict[str, Any]:
        return {"samples": self.order.samples, "together": self.order.together}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict != self.state_dict():
            then, now = (" by ".join(str(size) for size in state.values()) for state in (state_dict, self.state_dict()))
            raise ConfigError(
                f"the training took its samples {then}, and would take them {now}; resume it with the same data and as "
                "many processes, or use a new --out"
            )

    def on_train_batch_start(self, *_: Any) -> None:
        place = np.random.SeedSequence((self.order.seed, self.order.batches_done(), processes.rank()))
        torch.manual_seed(int(place.generate_state(1)[0]))


class _Plateau(Callback):
    """Shows the schedule the held-out figure before the epoch's checkpoint is written."""

    def on_validation_end(self, trainer: lightning.Trainer, module: Any) -> None:
        schedule = module.lr_schedulers()
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(trainer.callback_metrics[module.monitor])


class _MidEpoch(Callback):
    """Leaves a checkpoint now and then in long epochs; and lets Ctrl-C end the training after the step, with one."""

    def __init__(self, run: Run, pressed: Event) -> None:
        self.run, self.pressed = run, pressed

    def on_fit_start(self, *_: Any) -> None:
        self.saved = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        # Not among the batches that make one step; and after the last one an epoch leaves its own checkpoint.
        if (trainer.fit_loop.epoch_loop.batch_idx + 1) % trainer.accumulate_grad_batches or trainer.is_last_batch:
            return
        due = self.pressed.is_set() or time.monotonic() - self.saved > _SECONDS_UNSAVED
        if not trainer.strategy.reduce_boolean_decision(due, all=False):
            return
        trainer.save_checkpoint(self.run.checkpoint)
        self.saved = time.monotonic()
        self._stop_if_pressed(trainer)

    def on_train_epoch_end(self, *_: Any) -> None:
        self.saved = time.monotonic()

    def on_train_epoch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.current_epoch:  # the one before has left its checkpoint
            self._stop_if_pressed(trainer)

    def _stop_if_pressed(self, trainer: lightning.Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self.pressed.is_set(), all=False):
            raise InterruptedTrainingError(
                f"stopped in epoch {trainer.current_epoch + 1}; add --resume to the same command to go on"
            )


@contextmanager
def _ctrl_c_noticed() -> Iterator[Event]:
    """Sets the event at the first Ctrl-C; a second one ends everything at once."""
    pressed, before = Event(), signal.getsignal(signal.SIGINT)

    def press(*_: Any) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    if current_thread() is not main_thread():  # where no signal arrives
        yield pressed
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


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
