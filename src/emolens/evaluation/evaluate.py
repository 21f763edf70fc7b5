"""One model measured on one dataset."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens import __version__
from emolens.data.crops import cut_crops
from emolens.data.samples import Dataset
from emolens.errors import DataError, ModelError
from emolens.evaluation.metrics import compute_metrics
from emolens.files import written_whole
from emolens.labels import canonical, project
from emolens.runtime import OnnxModel, file_hash

# Crops in memory at once: enough to keep the decoding threads busy, 77 MB at 224 x 224 x 3.
_CHUNK = 512


@dataclass(frozen=True)
class Evaluation:
    """What a model made of a dataset.

    Attributes:
        model: `name, version, sha256` of the model file.
        dataset: the samples that were measured, over the labels that were compared.
        probabilities: `(N, L)` float32, a row per sample, over the same labels.
        metrics: see `compute_metrics`.
        date: in UTC, ISO 8601.
    """

    model: dict[str, str]
    dataset: Dataset
    probabilities: NDArray[np.float32]
    metrics: dict[str, Any]
    date: str

    @property
    def split(self) -> str:
        """The name of the split, or of all of them."""
        return ", ".join(sorted({sample.split for sample in self.dataset.samples}))

    def to_dict(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return {
            "model": self.model,
            "dataset": self.dataset.name,
            "split": self.split,
            "labels": list(self.dataset.labels),
            "left_out": self.dataset.left_out,
            "emolens_version": __version__,
            "date": self.date,
            **self.metrics,
        }

    def save(self, folder: Path) -> Path:
        """Writes `metrics.json` into an existing folder, whole or not at all."""
        path = folder / "metrics.json"
        with written_whole(path) as unfinished:
            unfinished.write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        return path


def evaluate(model: OnnxModel, dataset: Dataset) -> Evaluation:
    """Predicts every sample and compares.

    Where the model knows every label of the dataset, its probabilities are projected to the dataset's labels and
    renormalised; otherwise the targets are projected to the model's labels. Samples without a single top label, and
    those whose image cannot be read, are then left out, and counted.

    Raises:
        DataError: the dataset is multilabel, or no sample is left to compare.
        ModelError: the model's probabilities are no distribution over labels.
    """
    card = model.card
    if card.objective != "distribution":
        raise ModelError(f"{model.path} is a {card.objective} model; only distribution models can be evaluated yet")
    if dataset.objective != "distribution":
        raise DataError(f"{dataset.name} is a {dataset.objective} dataset; only distributions can be evaluated yet")
    answers = tuple(canonical(label) for label in card.labels)
    comparable = dataset if set(dataset.labels) <= set(answers) else dataset.project(answers)
    decided, predicted = _predict(model, comparable.without_ties())
    if not len(decided):
        raise DataError(
            f"{dataset.name} has no sample that {card.name} could be measured on: {len(dataset)} read, "
            f"left out: {describe_left_out(decided)}; check --split, and that dataset and model share labels"
        )
    probabilities = _project_answers(predicted, answers, decided.labels)
    return Evaluation(
        {"name": card.name, "version": card.version, "sha256": file_hash(model.path)},
        decided,
        probabilities,
        compute_metrics(probabilities, decided.targets, decided.labels),
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def describe_left_out(dataset: Dataset) -> str:
    """`"279 leak, 11 mostly no face"`, or `"nothing"`."""
    counts = (f"{count} {reason.replace('_', ' ')}" for reason, count in dataset.left_out.items())
    return ", ".join(counts) or "nothing"


def _predict(model: OnnxModel, dataset: Dataset) -> tuple[Dataset, NDArray[np.float32]]:
    """The samples that can be read, and the model's probabilities of them."""
    probabilities = [np.empty((0, len(model.card.labels)), dtype=np.float32)]
    unreadable: dict[int, str] = {}
    for start in range(0, len(dataset), _CHUNK):
        crops, faulty = cut_crops(dataset.samples[start : start + _CHUNK], model.card.input, model.card.crop)
        unreadable |= {start + index: what for index, what in faulty.items()}
        probabilities.append(model.probabilities(crops))
    return dataset.without("unreadable_image", unreadable), np.concatenate(probabilities)


def _project_answers(
    probabilities: NDArray[np.float32], answers: tuple[str, ...], labels: tuple[str, ...]
) -> NDArray[np.float32]:
    projected = project(probabilities, answers, labels)
    # Certainty of a label outside of `labels` leaves nothing, which says as much for one label as for another.
    projected[~projected.any(axis=1)] = 1 / len(labels)
    return projected
