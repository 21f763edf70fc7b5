"""Exports what a training left into a model file."""

from pathlib import Path

from torch import nn

from emolens.card import ModelCard
from emolens.detect.own import OUTPUTS
from emolens.errors import ConfigError
from emolens.export.model_file import write_model_file
from emolens.networks.detector import FaceDetector
from emolens.training.detection.module import MEAN, STD
from emolens.training.recipe import ClassifierRecipe, Normalisation, Recipe
from emolens.training.run import Run


def export_run(source: Path, out: Path) -> ModelCard:
    """Writes the model file of a finished run.

    Args:
        source: the run's directory.
        out: the `.onnx` file to write, whole or not at all.

    Returns:
        The card that was put inside.

    Raises:
        ConfigError: `source` is no run, or is not finished.
    """
    if not source.is_dir():
        raise ConfigError(f"{source} is no run; `emolens train RECIPE --data PATH --out RUN` makes one")
    run = Run(source)
    recipe, card = run.recipe(), run.card()
    network, normalisation, outputs = _build(recipe, card)
    run.load_weights(network)
    write_model_file(network, card, out, mean=normalisation.mean, std=normalisation.std, outputs=outputs)
    return card


def _build(recipe: Recipe, card: ModelCard) -> tuple[nn.Module, Normalisation, tuple[str, ...]]:
    if isinstance(recipe, ClassifierRecipe):
        return recipe.network.build(len(card.labels), card.input.channels), recipe.normalisation, ("logits",)
    return FaceDetector(**recipe.network.model_dump()), Normalisation(mean=MEAN, std=STD), OUTPUTS
