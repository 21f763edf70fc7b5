"""Distillation: finished networks whose answers a new one learns."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emolens.errors import ConfigError
from emolens.settings import find_run
from emolens.training.module import normalise
from emolens.training.recipe import ClassifierRecipe, Distillation
from emolens.training.run import Run


class Teacher(nn.Module):
    """A trained network with its own normalisation, `mean` and `std` of C values each, and temperature."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float], temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` float pixels of 0 to 255 to `(N, L)` probabilities, the mean of image and mirror."""
        logits: Tensor = self.network(normalise(torch.cat([images, images.flip(-1)]), self.mean, self.std))
        probabilities = (logits.float() / self.temperature).softmax(dim=1)
        return probabilities.view(2, len(images), -1).mean(dim=0)


@dataclass(frozen=True)
class Teachers:
    """What all teachers say, and how much of a target it is."""

    members: tuple[Teacher, ...]
    share: float

    def to(self, device: torch.device) -> None:
        """Moves them; a training keeps them out of its own, so that checkpoints hold one network."""
        for teacher in self.members:
            teacher.to(device)

    @torch.no_grad()
    def blend(self, images: Tensor, targets: Tensor) -> Tensor:
        """Moves the `(N, L)` targets of a batch towards what the teachers say of these very pixels."""
        answers = torch.stack([teacher(images) for teacher in self.members]).mean(dim=0)
        return targets.lerp(answers, self.share)


def load_teachers(choice: Distillation, recipe: ClassifierRecipe) -> Teachers:
    """Opens the runs of the teachers.

    Raises:
        ConfigError: one is no finished run of a classifier, or has other labels or another input.
    """
    return Teachers(tuple(_load(Run(find_run(folder)), recipe) for folder in choice.teachers), choice.share)


def _load(run: Run, recipe: ClassifierRecipe) -> Teacher:
    taught = run.recipe()
    if not isinstance(taught, ClassifierRecipe):
        raise ConfigError(f"distillation.teachers: {run.folder} is a detector's run; name one of a classifier")
    if (theirs := _terms(taught)) != (ours := _terms(recipe)):
        raise ConfigError(f"distillation.teachers: {run.folder} answers for {theirs}; this recipe asks for {ours}")
    card = run.card()
    network = taught.network.build(len(card.labels), card.input.channels, taught.size).to(
        memory_format=torch.channels_last
    )
    run.load_weights(network)
    return Teacher(network, taught.pixels.mean, taught.pixels.std, card.temperature).eval()


def _terms(recipe: ClassifierRecipe) -> str:
    size = recipe.input
    return f"{', '.join(recipe.labels)} at {size.height}x{size.width}x{size.channels}"
