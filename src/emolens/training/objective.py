"""Objectives: what a network is trained to make small."""

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Distribution(_Part):
    """One softmax over all labels: cross-entropy against the target, which is KL(target || prediction) and a constant.

    One-hot targets give the usual cross-entropy.

    Attributes:
        smoothing: the share of every target that is spread over all labels (Szegedy et al., 2016).
    """

    name: Literal["distribution"] = "distribution"
    smoothing: float = Field(0, ge=0, lt=1)

    def measure(self, logits: Tensor, targets: Tensor, weights: Tensor, label_weights: Tensor | None = None) -> Tensor:
        """The weighted mean over a batch.

        Args:
            logits: `(N, L)`.
            targets: `(N, L)`, rows sum to one.
            weights: `(N,)`, how much each sample counts.
            label_weights: `(L,)`, how much each label counts.
        """
        targets = targets.lerp(torch.full_like(targets, 1 / targets.shape[1]), self.smoothing)
        if label_weights is not None:
            targets = targets * label_weights
        per_sample = -(targets * functional.log_softmax(logits.float(), dim=1)).sum(dim=1)
        # As in torch's cross-entropy: the mean by what each sample's target weighs.
        return (per_sample * weights).sum() / (targets.sum(dim=1) * weights).sum()


class Multilabel(_Part):
    """One sigmoid per label: binary cross-entropy, plain, weighted, or focal (Lin et al., 2017).

    Attributes:
        loss: `bce`; `weighted_bce`, where a label's presence weighs as much more as it is rarer than its absence;
            `focal`, where easy answers count less.
        gamma: how much less, for `focal`.
        threshold: a label at or over it counts as present, in the card and the figures.
    """

    name: Literal["multilabel"] = "multilabel"
    loss: Literal["bce", "weighted_bce", "focal"] = "bce"
    gamma: float = Field(2, ge=0)
    threshold: float = Field(0.35, gt=0, lt=1)

    def measure(self, logits: Tensor, targets: Tensor, weights: Tensor, label_weights: Tensor | None = None) -> Tensor:
        """The weighted mean over a batch.

        Args:
            logits: `(N, L)`.
            targets: `(N, L)`, each in 0 to 1.
            weights: `(N,)`, how much each sample counts.
            label_weights: `(L,)`, how much more the presence of a label counts than its absence.
        """
        logits = logits.float()
        if self.loss == "focal":
            each = sigmoid_focal_loss(logits, targets, alpha=-1, gamma=self.gamma)
        else:
            each = functional.binary_cross_entropy_with_logits(
                logits, targets, reduction="none", pos_weight=label_weights
            )
        mean: Tensor = (each.mean(dim=1) * weights).sum() / weights.sum()
        return mean


Objective = Annotated[Distribution | Multilabel, Field(discriminator="name")]
