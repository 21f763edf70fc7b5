"""How weights are moved: the optimiser, its schedule, and what is done around a step."""

import math
from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.nn import Module, Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau, StepLR

_MOMENTUM = 0.9
_HAIR = 1e-9


class Optimisation(BaseModel):
    """The optimiser, its schedule, and what is done around a step.

    Attributes:
        optimiser: AdamW (Loshchilov and Hutter, 2019), Adam, or SGD with Nesterov's momentum.
        learning_rate: the highest one.
        schedule: `one_cycle` (Smith and Topin, 2018) and `cosine` rise during `warmup` and then fall to nothing, by
            step; `plateau` falls tenfold when the held-out figure has not improved for `step_epochs`; `step` falls
            tenfold every `step_epochs`; `constant` stays.
        warmup: the share of all steps in which the learning rate rises.
        ema: how much of the running average of the weights a step keeps; 0 keeps the weights themselves.
        clip: the largest norm of the gradient; None leaves it alone.
        accumulate: how many batches make one step.
        patience: epochs without a better held-out figure after which the training ends; the best epoch's weights are
            then kept. None trains all epochs and keeps the last.
        precision: of the calculations; weights are float32 always.
        device: `auto` takes what is there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(gt=0)
    batch_size: int = Field(128, gt=1)
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    schedule: Literal["one_cycle", "cosine", "plateau", "step", "constant"] = "one_cycle"
    warmup: float = Field(0.2, ge=0, lt=1)
    step_epochs: int = Field(10, gt=0)
    ema: float = Field(0.999, ge=0, lt=1)
    clip: float | None = Field(None, gt=0)
    accumulate: int = Field(1, gt=0)
    patience: int | None = Field(None, gt=0)
    precision: Literal["fp32", "bf16", "fp16"] = "bf16"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    @model_validator(mode="after")
    def _one_cycle_rises(self) -> Self:
        if self.schedule == "one_cycle" and not self.warmup:
            raise ValueError("one_cycle needs a warmup over 0; cosine does without")
        return self


def configure(module: Module, plan: Optimisation, steps: int, monitor: str, mode: Literal["min", "max"]) -> Any:
    """The optimiser and schedule of a module, as Lightning takes them.

    Args:
        module: its parameters that need a gradient are moved.
        plan: says how.
        steps: of the whole training.
        monitor: the held-out figure that `plateau` watches.
        mode: whether it should fall or rise.
    """
    moved = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = _optimiser(moved, plan)
    if plan.schedule == "plateau":
        plateau = ReduceLROnPlateau(optimiser, mode, patience=plan.step_epochs)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": monitor}}
    if plan.schedule == "constant":
        return optimiser
    if plan.schedule == "step":
        return {"optimizer": optimiser, "lr_scheduler": StepLR(optimiser, plan.step_epochs)}
    schedule: LRScheduler = LambdaLR(optimiser, _cosine(plan.warmup * steps, steps))
    if plan.schedule == "one_cycle":
        # PyTorch divides by the steps between the first and the highest; there are none where that is the first.
        rise = plan.warmup + (_HAIR if plan.warmup * steps == 1 else 0)
        schedule = OneCycleLR(optimiser, plan.learning_rate, total_steps=steps, pct_start=rise)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _optimiser(parameters: list[Parameter], plan: Optimisation) -> Optimizer:
    # Weight decay on biases and normalisation only hurts (He et al., 2019).
    groups = [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if plan.optimiser == "sgd":
        return SGD(groups, lr=plan.learning_rate, momentum=_MOMENTUM, nesterov=True)
    return (AdamW if plan.optimiser == "adamw" else Adam)(groups, lr=plan.learning_rate)


def _cosine(rising: float, steps: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))

    return factor
