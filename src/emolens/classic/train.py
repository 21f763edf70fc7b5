"""Trains a classic system by its recipe: dataset -> crops -> features -> head -> card."""

import json
import logging
import platform
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from emolens import __version__
from emolens.card import Features, ModelCard
from emolens.classic.estimator import ImageClassifier
from emolens.classic.extract import make_features, with_memory
from emolens.classic.heads import FOLDS
from emolens.classic.recipe import ClassicRecipe
from emolens.data.samples import Dataset
from emolens.errors import ConfigError, DataError
from emolens.evaluation.calibration import calibrate_card
from emolens.evaluation.metrics import compute_metrics
from emolens.features.base import FeatureStep
from emolens.files import written_whole
from emolens.probability import calibrated
from emolens.training.parts import read_parts

logger = logging.getLogger(__name__)

_HELD_OUT = "held-out training rows"
_LIBRARIES = ("emolens", "scikit-learn", "scikit-image", "skl2onnx", "torch", "mediapipe", "numpy", "pillow")
_FLOOR = 1e-12


@dataclass(frozen=True)
class Trained:
    """What a training leaves for the export.

    Attributes:
        held_out: features that it has not learnt from, `(N, F)` float32, to check an export with.
    """

    classifier: ImageClassifier
    card: ModelCard
    held_out: NDArray[np.float32]


def train_classic(recipe: ClassicRecipe, data: Path, out: Path, strict: bool = False) -> Trained:
    """Trains and measures on the held-out samples.

    Samples count for their top label, or, to a head that takes distributions, for all of their target; those without a
    single top label are left out. `out` gets the resolved recipe, the card
    and, where features need one, a copy of the model file that makes them.

    Args:
        recipe: what to do.
        data: the dataset's file or folder.
        out: the run's directory.
        strict: refuse data with faults instead of leaving them out.

    Raises:
        DataError: the data cannot be read, has too few samples of a label, or has faults, and `strict`.
        ConfigError: `out` holds a training already, or the recipe does not fit the data.
        ModelError: the model file that makes the features is missing or none.
        MissingExtraError: a library is missing.
    """
    if (out / "card.json").exists():
        raise ConfigError(f"{out} holds a training already; use a new --out")
    parts = read_parts(recipe, data)
    if recipe.data.labels is None:
        resolved = recipe.data.model_copy(update={"labels": parts.training.labels})
        recipe = recipe.model_copy(update={"data": resolved})
    opened = recipe.features.open(recipe.input)
    with with_memory(opened) as step:
        training, learnt = _features(parts.training, recipe, step, strict)
        held_out, unseen = _features(parts.held_out, recipe, step, strict)
    logger.info("%d samples to train on, %d held out, %d features", len(training), len(held_out), step.size)
    _check_labels(training)

    head = recipe.head.build(recipe.balance == "class_weights", recipe.seed)
    classifier = ImageClassifier(opened.step, head)
    weights = np.array([sample.weight for sample in training.samples])
    targets = training.targets if recipe.head.soft else training.targets.argmax(axis=1)
    classifier.fit_features(learnt, targets, None if (weights == 1).all() else weights)
    if classifier.nothing_found_:
        logger.warning(
            "in %d of %d crops nothing was found, and they were left out", classifier.nothing_found_, len(learnt)
        )

    card = _describe(recipe, opened.features, {"training rows": _told(classifier, len(learnt))})
    card = _measured(card, recipe.head.soft, classifier.predict_features(unseen), unseen, held_out)
    out.mkdir(parents=True, exist_ok=True)
    if opened.file is not None:
        shutil.copyfile(opened.file, out / opened.file.name)
    _write(out / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    _write(out / "versions.json", json.dumps(_versions(), indent=2) + "\n")
    _write(out / "card.json", card.model_dump_json(indent=2))
    return Trained(classifier, card, unseen)


def _features(
    dataset: Dataset, recipe: ClassicRecipe, step: FeatureStep, strict: bool
) -> tuple[Dataset, NDArray[np.float32]]:
    read, features = make_features(dataset, recipe, step)
    if strict:
        read.check_faultless()
    if read.faults:
        logger.warning("%s", read.fault_report)
    return read, features


def _told(classifier: ImageClassifier, samples: int) -> dict[str, int]:
    """What became of the samples to learn from."""
    outliers = {"outliers": classifier.head_.outliers_} if hasattr(classifier.head_, "outliers_") else {}
    return {"samples": samples, "nothing_found": classifier.nothing_found_, **outliers}


def _measured(
    card: ModelCard,
    soft: bool,
    probabilities: NDArray[np.float64],
    features: NDArray[np.float32],
    held_out: Dataset,
) -> ModelCard:
    """The card with the figures of the held-out samples and, of a head that is trained as networks, a temperature."""
    found = ~np.isnan(features).any(axis=1)
    answers, targets = probabilities.astype(np.float32), held_out.targets
    if soft and found.any():
        logits = np.log(answers[found].clip(_FLOOR))
        card = calibrate_card(card, logits, targets[found], "temperature", _HELD_OUT)
        answers[found] = calibrated(logits, card)
    figures = compute_metrics(answers, targets, held_out.labels, None if found.all() else found)
    missed = f", nothing found in {figures['missed']} of {len(features)}" if "missed" in figures else ""
    logger.info("held out: accuracy %.4f, macro F1 %.4f%s", figures["accuracy"], figures["macro_f1"], missed)
    return card.model_copy(update={"metrics": {**card.metrics, _HELD_OUT: figures}})


def _check_labels(training: Dataset) -> None:
    counts = np.bincount(training.targets.argmax(axis=1), minlength=len(training.labels))
    few = [f"{label} ({count})" for label, count in zip(training.labels, counts, strict=True) if count < FOLDS]
    if few:
        raise DataError(
            f"{training.name} has too few samples to learn {', '.join(few)}; {FOLDS} are the fewest, so leave these "
            "labels out with --labels"
        )


def _describe(recipe: ClassicRecipe, features: Features, metrics: dict[str, Any]) -> ModelCard:
    return ModelCard(
        name=recipe.name,
        version=recipe.version,
        kind=recipe.kind,
        labels=recipe.labels,
        objective="distribution",
        input=recipe.input,
        crop=recipe.crop,
        features=features,
        metrics=metrics,
        trained_on=recipe.data.sources,
        limits=recipe.limits,
        licence=recipe.licence,
        created=datetime.now(UTC).date().isoformat(),
        emolens_version=__version__,
    )


def _write(path: Path, text: str) -> None:
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _versions() -> dict[str, str]:
    """Of the libraries that are there; no recipe needs them all."""
    found = {one.name: one.version for one in metadata.distributions() if one.name in _LIBRARIES}
    return {"python": platform.python_version(), **{name: found[name] for name in _LIBRARIES if name in found}}
