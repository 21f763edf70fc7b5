"""The training of a classifier, as a Lightning module over a network from a recipe."""

import logging
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from emolens.data.transforms import Augmentation
from emolens.training.distillation import Teachers
from emolens.training.objective import distribution_loss
from emolens.training.optimisation import one_cycle_adamw
from emolens.training.recipe import ClassifierRecipe

logger = logging.getLogger(__name__)

Batch = tuple[Tensor, Tensor, Tensor]


class CropDataset(Dataset[Batch]):
    """Crops with targets and weights; augmented one by one where `augmentation` is given."""

    def __init__(
        self,
        crops: NDArray[np.uint8],
        targets: NDArray[np.float32],
        weights: NDArray[np.float32],
        augmentation: Augmentation | None = None,
    ) -> None:
        self.images = torch.from_numpy(crops).permute(0, 3, 1, 2)
        self.targets, self.weights = torch.from_numpy(targets), torch.from_numpy(weights)
        self.transform = augmentation.build() if augmentation else None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Batch:
        image = self.images[index]
        return self.transform(image) if self.transform else image, self.targets[index], self.weights[index]


class ClassifierModule(lightning.LightningModule):
    """Trains a network on targets of any kind; reports the loss and accuracy of the held-out samples."""

    mean: Tensor
    std: Tensor

    def __init__(self, recipe: ClassifierRecipe, classes: int, teachers: Teachers | None = None) -> None:
        super().__init__()
        self.recipe, self.teachers = recipe, teachers
        self.network = recipe.network.build(classes, recipe.input.channels).to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(recipe.normalisation.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(recipe.normalisation.std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` pixels of 0 to 255 to `(N, L)` logits."""
        normalised = (images.float() / 255 - self.mean) / self.std
        logits: Tensor = self.network(normalised.contiguous(memory_format=torch.channels_last))
        return logits

    def training_step(self, batch: Batch) -> Tensor:
        images, targets, weights = batch
        images, targets = self.recipe.augmentation.blend(images.float(), targets)
        if self.teachers:
            targets = self.teachers.blend(images, targets)
        loss = distribution_loss(self(images), targets, weights)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images))
        return loss

    def validation_step(self, batch: Batch) -> None:
        images, targets, weights = batch
        logits = self(images)
        right = (logits.argmax(1) == targets.argmax(1)).float().mean()
        self.log_dict(
            {"val_loss": distribution_loss(logits, targets, weights), "val_accuracy": right}, batch_size=len(images)
        )

    def on_train_epoch_end(self) -> None:
        measured = self.trainer.callback_metrics
        values = {name: round(float(measured[name]), 4) for name in ("train_loss", "val_loss", "val_accuracy")}
        line = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        logger.info("epoch %d of %d: %s", self.current_epoch + 1, self.trainer.max_epochs, line, extra=values)

    def configure_optimizers(self) -> Any:
        return one_cycle_adamw(self, self.recipe.optimisation)


def predict_logits(module: ClassifierModule, loader: DataLoader[Batch]) -> NDArray[np.float32]:
    """The logits of every sample, `(N, L)` float32, in order and at full precision."""
    module.eval()
    with torch.inference_mode():
        logits = torch.cat([module(images) for images, _, _ in loader])
    return logits.numpy()
