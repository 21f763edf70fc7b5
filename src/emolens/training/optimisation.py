"""How weights are moved: AdamW under one cycle of warm-up and cosine decay."""

from typing import Any, Literal

import lightning
from pydantic import BaseModel, ConfigDict, Field
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR


class Optimisation(BaseModel):
    """AdamW (Loshchilov and Hutter, 2019) under one cycle (Smith and Topin, 2018); weights averaged over steps.

    Attributes:
        warmup: the share of all steps in which the learning rate rises.
        ema: how much of the average a step keeps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(gt=0)
    batch_size: int = Field(128, gt=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warmup: float = Field(0.2, gt=0, lt=1)
    ema: float = Field(0.999, ge=0, lt=1)
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"


def one_cycle_adamw(module: lightning.LightningModule, plan: Optimisation) -> Any:
    """The optimiser and schedule of a module that a trainer already holds, as Lightning takes them."""
    # Weight decay on biases and normalisation only hurts (He et al., 2019).
    decayed = [parameter for parameter in module.parameters() if parameter.ndim > 1]
    free = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
    optimiser = AdamW(
        [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}],
        lr=plan.learning_rate,
    )
    steps = int(module.trainer.estimated_stepping_batches)
    schedule = OneCycleLR(optimiser, plan.learning_rate, total_steps=steps, pct_start=plan.warmup)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
