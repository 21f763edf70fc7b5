"""The training of a classifier, as a Lightning module over a network from a recipe."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from emolens.data.balance import class_weights, presence_weights
from emolens.training.data import Batch
from emolens.training.distillation import Teachers
from emolens.training.module import NetworkModule
from emolens.training.objective import Multilabel
from emolens.training.recipe import ClassifierRecipe


class ClassifierModule(NetworkModule):
    """Trains a network on targets of any kind; reports the loss and accuracy of the held-out samples.

    Args:
        recipe: a resolved one.
        network: that of the recipe.
        label_weights: `(L,)`, how much each label counts in the training loss.
        teachers: whose answers become part of the targets.
    """

    label_weights: Tensor | None

    def __init__(
        self,
        recipe: ClassifierRecipe,
        network: nn.Module,
        label_weights: Tensor | None = None,
        teachers: Teachers | None = None,
    ) -> None:
        super().__init__(network, recipe.pixels.mean, recipe.pixels.std, recipe.optimisation)
        self.recipe, self.teachers = recipe, teachers
        self.monitor, self.mode = recipe.monitor, "min" if recipe.monitor == "val_loss" else "max"
        self.register_buffer("label_weights", label_weights, persistent=False)
        # Lightning's own means are wrong where processes have different numbers of samples.
        self.means = nn.ModuleDict({name: MeanMetric() for name in ("val_loss", "val_accuracy")})

    def forward(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` pixels of 0 to 255 to `(N, L)` logits."""
        logits: Tensor = self.network(self.normalised(images))
        return logits

    def on_fit_start(self) -> None:
        if self.teachers:
            self.teachers.to(self.device)

    def training_step(self, batch: Batch) -> Tensor:
        images, targets, weights = batch
        images, targets = self.recipe.augmentation.blend(images.float(), targets)
        if self.teachers:
            targets = self.teachers.blend(images, targets)
        loss = self.recipe.objective.measure(self(images), targets, weights, self.label_weights)
        self.log(
            "train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images), prog_bar=True, sync_dist=True
        )
        return loss

    def validation_step(self, batch: Batch) -> None:
        images, targets, weights = batch
        logits = self(images)
        if isinstance(self.recipe.objective, Multilabel):
            right = (logits.sigmoid() >= self.recipe.objective.threshold).eq(targets > 0.5).float().mean()
        else:
            right = (logits.argmax(1) == targets.argmax(1)).float().mean()
        loss = self.recipe.objective.measure(logits, targets, weights)
        for name, value in (("val_loss", loss), ("val_accuracy", right)):
            mean: Any = self.means[name]
            mean.update(value, len(images))
            self.log(name, mean)

    def on_train_epoch_end(self) -> None:
        measured = self.trainer.callback_metrics
        self.tell_epoch({name: float(measured[name]) for name in ("train_loss", "val_loss", "val_accuracy")})


def label_weights_for(recipe: ClassifierRecipe, targets: NDArray[np.float32]) -> Tensor | None:
    """What the loss weighs each label with, as the recipe says; None where all count alike."""
    if isinstance(recipe.objective, Multilabel):
        weighted = recipe.objective.loss == "weighted_bce" or recipe.balance == "class_weights"
        return torch.from_numpy(presence_weights(targets)) if weighted else None
    return torch.from_numpy(class_weights(targets)) if recipe.balance == "class_weights" else None


def predict_logits(module: ClassifierModule, loader: DataLoader[Batch]) -> NDArray[np.float32]:
    """The logits of every sample, `(N, L)` float32, in order and at full precision."""
    module.eval()
    with torch.inference_mode():
        logits = torch.cat([module(images.to(module.device)).cpu() for images, _, _ in loader])
    return logits.numpy()
