"""One model measured on one dataset."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens import __version__
from emolens.card import ModelCard
from emolens.classifier import Classifier
from emolens.data.samples import Dataset
from emolens.detect.base import Detector
from emolens.errors import ConfigError, DataError
from emolens.evaluation.answers import predict_dataset
from emolens.evaluation.bootstrap import bootstrap_intervals
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.predictions import Predictions
from emolens.evaluation.single_label import SingleLabel
from emolens.evaluation.slices import find_slices, measure_slices
from emolens.files import written_whole
from emolens.labels import canonical, project, project_label, regroup

Flags = NDArray[np.bool_]

# As near to one as float32 can tell.
_CERTAIN = 1 - 1e-7


@dataclass(frozen=True)
class Evaluation:
    """What a model made of a dataset.

    Attributes:
        model: as the classifier's `about`: `name, version, sha256` of a model file.
        dataset: the samples that were measured, over the labels that were compared.
        probabilities: `(N, L)` float32, a row per sample, over the same labels; zeros where there is no answer.
        answered: `(N,)` bool; False where the face was not found in the photograph, or nothing in it by the model's
            feature step.
        metrics: see `compute_metrics` and `compute_multilabel_metrics`; with `intervals {figure: [low, high]}` (see
            `bootstrap_intervals`) and `slices` (see `measure_slices`).
        date: in UTC, ISO 8601.
        detector: the name of what found the faces; None where the dataset's own crops or boxes were taken.
    """

    model: dict[str, Any]
    dataset: Dataset
    probabilities: NDArray[np.float32]
    answered: Flags
    metrics: dict[str, Any]
    date: str
    detector: str | None = None

    @property
    def split(self) -> str:
        """The name of the split, or of all of them."""
        return ", ".join(sorted({sample.split for sample in self.dataset.samples}))

    def to_dict(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return {
            "model": self.model,
            "from": "crop" if self.detector is None else "photo",
            **({} if self.detector is None else {"detector": self.detector}),
            "dataset": self.dataset.name,
            "split": self.split,
            "labels": list(self.dataset.labels),
            "left_out": self.dataset.left_out,
            "emolens_version": __version__,
            "date": self.date,
            **self.metrics,
        }

    def save(self, folder: Path) -> Path:
        """Writes `predictions.csv` and then `metrics.json` into an existing folder, each whole or not at all."""
        Predictions.of(self.dataset, self.probabilities, self.answered).save(folder / "predictions.csv")
        path = folder / "metrics.json"
        with written_whole(path) as unfinished:
            unfinished.write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        return path


def evaluate(
    model: Classifier, dataset: Dataset, labels: Sequence[str] | None = None, detector: Detector | None = None
) -> Evaluation:
    """Predicts every sample and compares.

    Over `labels` or, without them, over the dataset's where the model knows them all, else over the model's.
    Probabilities are projected to them, and those of a `distribution` renormalised, as are the targets. Samples of a
    `distribution` without a single top label, and those whose image cannot be read, are then left out, and counted.

    Args:
        model: what answers.
        dataset: the samples, each with the target that is right.
        labels: what to compare over.
        detector: finds the faces in the samples' images, as it would in an application, instead of the boxes that the
            dataset gives; one that is not found counts as wrong.

    Raises:
        DataError: the dataset is of another objective than the model, they share no label, or no sample is left to
            compare.
        ConfigError: photographs are asked of a model that does not look at faces or gives them several labels.
        ModelError: the model's probabilities are no distribution over labels.
    """
    card = model.card
    if card.objective != dataset.objective:
        raise DataError(
            f"{card.name} is a {card.objective} model and {dataset.name} a {dataset.objective} dataset; "
            "measure it on one of its kind"
        )
    if detector is not None and (card.kind != "face" or card.objective != "distribution"):
        raise ConfigError(
            f"{card.name} is a {card.objective} model of kind '{card.kind}'; only those that give a face one emotion "
            "are measured from photographs, so leave --from photo out"
        )
    answers = tuple(canonical(label) for label in card.labels)
    wanted = labels or (dataset.labels if set(dataset.labels) <= set(answers) else answers)
    if not any(project_label(label, wanted) for label in answers):
        raise DataError(f"{card.name} answers {', '.join(answers)}, and none of it is among {', '.join(wanted)}")
    compared = dataset if tuple(wanted) == dataset.labels else dataset.project(wanted)
    if dataset.objective == "distribution":
        compared = compared.without_ties()
    given = predict_dataset(model, compared, detector)
    compared, answered = given.dataset, given.answered
    if not len(compared):
        raise DataError(
            f"{dataset.name} has no sample that {card.name} could be measured on: {len(dataset)} read, "
            f"left out: {describe_left_out(compared)}; check --split, and that dataset and model share labels"
        )
    always = detector is None and bool(answered.all())
    probabilities = np.zeros((len(compared), len(wanted)), np.float32)
    probabilities[answered] = _project_answers(given.probabilities, answers, compared)
    return Evaluation(
        model.about,
        compared,
        probabilities,
        answered,
        _measure(card, compared, probabilities, None if always else answered, given.traits),
        datetime.now(UTC).isoformat(timespec="seconds"),
        None if detector is None else detector.name,
    )


def describe_left_out(dataset: Dataset) -> str:
    """`"279 leak, 11 mostly no face"`, or `"nothing"`."""
    counts = (f"{count} {reason.replace('_', ' ')}" for reason, count in dataset.left_out.items())
    return ", ".join(counts) or "nothing"


def _project_answers(
    probabilities: NDArray[np.float32], answers: tuple[str, ...], compared: Dataset
) -> NDArray[np.float32]:
    labels = compared.labels
    if compared.objective == "multilabel":
        # Of labels that become one: the probability that any of them is present, if they are independent.
        absent = -regroup(np.log1p(-probabilities.clip(0, _CERTAIN)), answers, labels)
        return np.asarray(-np.expm1(-absent), np.float32)
    projected = project(probabilities, answers, labels)
    # Certainty of a label outside of `labels` leaves nothing, which says as much for one label as for another.
    projected[~projected.any(axis=1)] = 1 / len(labels)
    return projected


def _measure(
    card: ModelCard,
    compared: Dataset,
    probabilities: NDArray[np.float32],
    answered: Flags | None,
    traits: NDArray[np.float32],
) -> dict[str, Any]:
    labels, targets = compared.labels, compared.targets
    given = {canonical(label): card.threshold_of(label) for label in card.labels}
    thresholds = [given.get(label, card.threshold) for label in labels]

    def measure(part: Flags | slice) -> dict[str, Any]:
        if compared.objective == "multilabel":
            return compute_multilabel_metrics(probabilities[part], targets[part], labels, thresholds)
        return compute_metrics(probabilities[part], targets[part], labels, None if answered is None else answered[part])

    figures = (
        MultiLabel(probabilities, targets, labels, thresholds)
        if compared.objective == "multilabel"
        else SingleLabel(probabilities, targets, labels, answered)
    )
    return {
        **measure(slice(None)),
        "intervals": bootstrap_intervals(figures),
        "slices": measure_slices(find_slices(compared, traits), measure),
    }
