"""Exports what a training left into a model file."""

import tempfile
from functools import partial
from pathlib import Path

from torch import nn

from emolens.card import ModelCard
from emolens.detect.own import OUTPUTS
from emolens.errors import ConfigError
from emolens.export.formats import Format
from emolens.export.model_file import write_model_file
from emolens.export.quantise import quantise
from emolens.networks.detector import FaceDetector
from emolens.training.cards import describe
from emolens.training.detection.module import MEAN, STD
from emolens.training.recipe import ClassifierRecipe, Normalisation, Recipe
from emolens.training.run import Run, read_weights


def export_run(source: Path, out: Path, form: Format = Format.onnx) -> ModelCard:
    """Writes the model file of a run, or of one checkpoint of it.

    Args:
        source: the directory of a finished run, or `RUN/checkpoints/last.safetensors`, whose card then has neither a
            fitted temperature or threshold nor metrics.
        out: the `.onnx` file to write, whole or not at all.
        form: `onnx-int8` calculates in 8 bits; see `emolens.export.quantise`.

    Returns:
        The card that was put inside.

    Raises:
        ConfigError: `source` is neither, or the run is not finished, or 8 bits are asked of a detector.
        ModelError: 8 bits change the answers too much.
    """
    is_checkpoint = source.is_file() and source.suffix == ".safetensors"
    if not (source.is_dir() or is_checkpoint):
        raise ConfigError(f"{source} is no run; `emolens train RECIPE --data PATH --out RUN` makes one")
    run = Run(source.parent.parent if is_checkpoint else source)
    recipe = run.recipe()
    card = describe(recipe) if is_checkpoint else run.card()
    network, normalisation, outputs = _build(recipe, card)
    if is_checkpoint:
        read_weights(network, source)
    else:
        run.load_weights(network)
    write = partial(write_model_file, network, card, mean=normalisation.mean, std=normalisation.std, outputs=outputs)
    if form == Format.onnx:
        write(out)
        return card
    crops = run.crops()
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder, "exact.onnx")
        write(exact)
        return quantise(exact, crops, out)


def _build(recipe: Recipe, card: ModelCard) -> tuple[nn.Module, Normalisation, tuple[str, ...]]:
    if isinstance(recipe, ClassifierRecipe):
        return recipe.network.build(len(card.labels), card.input.channels, recipe.size), recipe.pixels, ("logits",)
    return FaceDetector(**recipe.network.model_dump()), Normalisation(mean=MEAN, std=STD), OUTPUTS
