"""An interrupted training, taken up again, ends with the very weights of one that was not interrupted."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from emolens.errors import ConfigError, InterruptedTrainingError
from emolens.training import trainer
from emolens.training.classifier import ClassifierModule
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.train import train
from fer_tables import fer_row, write_fer_table

pytestmark = pytest.mark.slow

EPOCHS, STEPS = 3, 6  # 48 samples to train on, in batches of 8
VARIANTS = {
    "averaged weights": ["optimisation.ema=0.9", "augmentation.mixup=0.4"],
    "accumulation": ["optimisation.accumulate=2", "optimisation.optimiser=sgd", "balance=sampler"],
    "plateau": ["optimisation.schedule=plateau", "optimisation.step_epochs=1", "optimisation.ema=0"],
    "patience": ["optimisation.schedule=step", "optimisation.step_epochs=1", "optimisation.patience=2"],
    "half precision": ["optimisation.precision=bf16", "optimisation.schedule=cosine", "optimisation.clip=1"],
}


def recipe(*settings: str) -> ClassifierRecipe:
    tiny = ["network={name: face_resnet, widths: [4, 8], blocks: [1, 1], dropout: 0.3}", "data.validation=0.2"]
    plan = ["optimisation.batch_size=8", f"optimisation.epochs={EPOCHS}", "optimisation.precision=fp32"]
    loaded = load_recipe("face", [*tiny, *plan, *settings])
    assert isinstance(loaded, ClassifierRecipe)
    return loaded


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(60)]
    return write_fer_table(tmp_path_factory.mktemp("resume") / "fer.parquet", rows)


@pytest.fixture
def at_batch(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], list[int]]:
    """Calls something before a batch is learnt from, counted from one over all epochs; gives the count."""

    def set_up(number: int, call: Callable[[], None]) -> list[int]:
        learnt: list[int] = []

        def step(self: ClassifierModule, batch: object) -> torch.Tensor:
            learnt.append(len(learnt) + 1)
            if len(learnt) == number:
                call()
            return learn(self, batch)

        monkeypatch.setattr(ClassifierModule, "training_step", step)
        return learnt

    learn = ClassifierModule.training_step
    return set_up


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "weights.safetensors")


def crash() -> None:
    raise SystemError("as a lost power supply would end it")


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_it_ends_with_the_same_weights(settings: list[str], table: Path, tmp_path: Path, at_batch) -> None:
    plan = recipe(*settings)
    train(plan, table, tmp_path / "whole")
    at_batch(STEPS + 3, crash)
    with pytest.raises(SystemError):
        train(plan, table, tmp_path / "broken")
    at_batch(3, press_ctrl_c)
    with pytest.raises(InterruptedTrainingError, match="stopped in epoch 2"):
        train(plan, table, tmp_path / "broken", resume=True)
    at_batch(0, crash)
    train(plan, table, tmp_path / "broken", resume=True)
    torch.testing.assert_close(weights(tmp_path / "broken"), weights(tmp_path / "whole"), rtol=0, atol=0)


def test_long_epochs_leave_a_checkpoint_now_and_then(
    table: Path, tmp_path: Path, at_batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = recipe()
    train(plan, table, tmp_path / "whole")
    monkeypatch.setattr(trainer, "_SECONDS_UNSAVED", 0)
    at_batch(STEPS - 1, crash)  # before the first epoch has left its own
    with pytest.raises(SystemError):
        train(plan, table, tmp_path / "broken")
    learnt = at_batch(0, crash)
    train(plan, table, tmp_path / "broken", resume=True)
    assert len(learnt) == EPOCHS * STEPS - (STEPS - 2)
    torch.testing.assert_close(weights(tmp_path / "broken"), weights(tmp_path / "whole"), rtol=0, atol=0)


@pytest.mark.parametrize("settings", [["optimisation.ema=0.9"], ["optimisation.patience=1"]], ids=["ema", "patience"])
def test_a_training_that_is_over_stays_as_it_is(settings: list[str], table: Path, tmp_path: Path, at_batch) -> None:
    # A learning rate at which nothing gets better lets patience end it early.
    plan = recipe(*settings, "optimisation.learning_rate=2", "optimisation.schedule=constant", "optimisation.epochs=5")
    train(plan, table, tmp_path)
    before = weights(tmp_path)
    learnt = at_batch(0, crash)
    train(plan, table, tmp_path, resume=True)
    assert not learnt
    torch.testing.assert_close(weights(tmp_path), before, rtol=0, atol=0)


def test_a_run_that_has_been_moved_knows_how_good_its_best_epoch_was(table: Path, tmp_path: Path, at_batch) -> None:
    # Every epoch has all that are held out right, and so the first one stays the best.
    plan = recipe("optimisation.patience=5", "optimisation.learning_rate=2", "monitor=val_accuracy")
    at_batch(STEPS + 3, crash)
    with pytest.raises(SystemError):
        train(plan, table, tmp_path / "broken")
    best = (tmp_path / "broken" / "checkpoints" / "best.safetensors").read_bytes()
    (tmp_path / "broken").rename(tmp_path / "moved")
    at_batch(0, crash)
    train(plan, table, tmp_path / "moved", resume=True)
    assert (tmp_path / "moved" / "checkpoints" / "best.safetensors").read_bytes() == best


def test_ctrl_c_ends_a_training_of_one_step_an_epoch(table: Path, tmp_path: Path, at_batch) -> None:
    # Of narrower layers torch 2.14's backward pass crashes at odd batches, in fp32 with channels last.
    plan, before = recipe("optimisation.batch_size=64", "network.widths=[16, 16]"), signal.getsignal(signal.SIGINT)
    at_batch(2, press_ctrl_c)
    with pytest.raises(InterruptedTrainingError, match="stopped in epoch 3"):
        train(plan, table, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_data_is_no_way_to_go_on(table: Path, tmp_path: Path, at_batch) -> None:
    at_batch(STEPS + 3, crash)
    with pytest.raises(SystemError):
        train(recipe(), table, tmp_path / "run")
    at_batch(0, crash)
    fewer = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(50)]
    with pytest.raises(ConfigError, match="resume it with the same data"):
        train(recipe(), write_fer_table(tmp_path / "fewer.parquet", fewer), tmp_path / "run", resume=True)
