"""What a training has learnt: the network with its weights, of a finished run or of one checkpoint."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from emolens.card import ModelCard
from emolens.errors import ConfigError
from emolens.networks.detector import FaceDetector
from emolens.training.cards import describe
from emolens.training.detection.module import MEAN, STD
from emolens.training.recipe import ClassifierRecipe, Normalisation
from emolens.training.run import Run, read_weights


@dataclass(frozen=True)
class Trained:
    """A network as its training left it.

    Attributes:
        network: takes `(N, C, H, W)` normalised float32; gives `(N, L)` logits or, of a detector, its maps.
        card: of a checkpoint it has neither a fitted temperature or threshold nor metrics.
        pixels: mean and deviation per channel, of pixels in 0 to 1.
        run: that it is of.
    """

    network: nn.Module
    card: ModelCard
    pixels: Normalisation
    run: Run


def open_trained(source: Path) -> Trained:
    """Opens the directory of a finished run, or `RUN/checkpoints/last.safetensors` or another one there.

    Raises:
        ConfigError: it is neither, or damaged, or the run is not finished.
    """
    is_checkpoint = source.is_file() and source.suffix == ".safetensors"
    if source.suffix == ".ckpt":
        weights = source.with_suffix(".safetensors")
        raise ConfigError(f"{source} is what a training resumes from; give {weights}, the weights beside it")
    if not (source.is_dir() or is_checkpoint):
        raise ConfigError(f"{source} is no run; `emolens train RECIPE --data PATH --out RUN` makes one")
    run = Run(source.parent.parent if is_checkpoint else source)
    recipe = run.recipe()
    card = describe(recipe) if is_checkpoint else run.card()
    network: nn.Module
    if isinstance(recipe, ClassifierRecipe):
        network, pixels = recipe.network.build(len(card.labels), card.input.channels, recipe.size), recipe.pixels
    else:
        network, pixels = FaceDetector(**recipe.network.model_dump()), Normalisation(mean=MEAN, std=STD)
    if is_checkpoint:
        read_weights(network, source)
    else:
        run.load_weights(network)
    return Trained(network, card, pixels, run)
