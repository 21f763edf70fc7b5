"""Grad-CAM (Selvaraju et al., 2017): where the features of a run's network speak for a label."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emolens.card import ModelCard
from emolens.errors import ConfigError
from emolens.evaluation.explain.occlusion import label_index, stretched
from emolens.networks.base import Network
from emolens.probability import calibrated
from emolens.training.recipe import Normalisation
from emolens.training.trained import open_trained

# Coarser maps do not tell an eye from a mouth: at 48 pixels, the last one of many networks has 3 x 3 cells.
_FEWEST_CELLS = 5


class TrainedNetwork:
    """A classifier as its training left it.

    Args:
        network: takes `(N, C, H, W)` normalised float, gives `(N, L)` logits.
        card: of it.
        pixels: mean and deviation per channel, of pixels in 0 to 1.
    """

    def __init__(self, network: Network, card: ModelCard, pixels: Normalisation) -> None:
        self.network, self.card = network.eval().requires_grad_(False), card
        self.mean, self.std = (255 * torch.tensor(values).view(-1, 1, 1) for values in (pixels.mean, pixels.std))

    @classmethod
    def open(cls, source: Path) -> "TrainedNetwork":
        """Opens the directory of a finished run, or `RUN/checkpoints/last.safetensors` or another one there.

        Raises:
            ConfigError: it is neither, or damaged, or a detector's.
        """
        trained = open_trained(source)
        if not isinstance(trained.network, Network):
            raise ConfigError(f"{source} is a face detector's; only what classifies can be explained")
        return cls(trained.network, trained.card, trained.pixels)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(N, H, W, C)` uint8 to `(N, L)` float32."""
        with torch.inference_mode():
            return calibrated(self.network(self.normalised(crops)).numpy(), self.card)

    def normalised(self, crops: NDArray[np.uint8]) -> Tensor:
        """What the network takes: `(N, C, H, W)` float32."""
        return (torch.tensor(crops).permute(0, 3, 1, 2).float() - self.mean) / self.std


def explain(model: TrainedNetwork, crop: NDArray[np.uint8], label: str | None = None) -> NDArray[np.float32]:
    """Where features speak for a label: each map weighed by the mean gradient of the label's logit, added up.

    The maps are those that the network makes last among the ones of 5 x 5 cells or more.

    Args:
        model: a convolutional network.
        crop: `(H, W, C)` uint8, at the size of the model's card.
        label: the one to explain; the likeliest by default.

    Returns:
        `(H, W)` float32, zero or more, in the scale of the features: of use only in comparison with itself. Drawn out
        linearly from the cells of the maps.

    Raises:
        ConfigError: the model has no such label, or no such maps.
    """
    image = model.normalised(crop[None])
    maker = _last_maps(model, image)
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, maps: Tensor) -> Tensor:
        # A copy goes on, since what follows may write into it.
        kept.append(maps.detach().clone().requires_grad_())
        return kept[-1].clone()

    handle = maker.register_forward_hook(keep)
    try:
        logits = model.network(image)[0]
    finally:
        handle.remove()
    column = int(logits.argmax()) if label is None else label_index(model.card, label)
    (gradient,) = torch.autograd.grad(logits[column], kept[-1])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    cells = (weights * kept[-1].detach()).sum(dim=1).relu()[0]
    return stretched(cells.numpy(), *crop.shape[:2])


def _last_maps(model: TrainedNetwork, image: Tensor) -> nn.Module:
    """The part of the network whose output is to be looked at.

    Raises:
        ConfigError: there is none, or what follows it mixes places, as a transformer does after it cut the picture up.
    """
    found: nn.Module | None = None
    mixed = False

    def look(part: nn.Module, _: object, output: object) -> None:
        nonlocal found, mixed
        if not isinstance(output, Tensor):
            return
        if _are_maps(output, image):
            found, mixed = part, False
        elif output.ndim == 3 and output.shape[1] > 1:
            mixed = True

    handles = [part.register_forward_hook(look) for part in model.network.modules()]
    try:
        with torch.inference_mode():
            model.network(image)
    finally:
        for handle in handles:
            handle.remove()
    if found is None or mixed:
        raise ConfigError(
            f"the last features of {model.card.name} are no maps that Grad-CAM could draw, as those of a transformer "
            "are not; export it, and occlusion explains the model file: emolens explain ... --model FILE"
        )
    return found


def _are_maps(output: Tensor, image: Tensor) -> bool:
    """Whether it is `(1, C, h, w)` with cells as high as wide; transformers may put channels where `w` would be."""
    if output.ndim != 4 or min(output.shape[2:]) < _FEWEST_CELLS:
        return False
    (high, wide), (height, width) = output.shape[2:], image.shape[2:]
    return abs(high * width - wide * height) <= max(height, width)
