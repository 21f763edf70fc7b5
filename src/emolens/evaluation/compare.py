"""Two evaluations of the same samples: by how much their figures differ, and whether that may be chance."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emolens.errors import DataError
from emolens.evaluation.bootstrap import Difference, paired_differences
from emolens.evaluation.figures import Figures, of_all_rows
from emolens.evaluation.multilabel import MultiLabel
from emolens.evaluation.predictions import Predictions
from emolens.evaluation.single_label import SingleLabel

PREDICTIONS = "predictions.csv"
"""The file beside `metrics.json` with the answers that the figures come from."""

_MOST_BYTES = 64 * 2**20
_SAME = 1e-6

Indices = NDArray[np.intp]
Key = tuple[str, str, int]
"""Name and split of a sample, and how many with both came before it."""


class _Model(BaseModel):
    name: str
    version: str


class _Metrics(BaseModel):
    """What a comparison needs of `metrics.json`; the figures are among what is extra."""

    model_config = ConfigDict(extra="allow")

    model: _Model
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    thresholds: dict[str, float] | None = None

    @property
    def figures(self) -> dict[str, float]:
        return {name: value for name, value in (self.model_extra or {}).items() if isinstance(value, float)}


@dataclass(frozen=True)
class Comparison:
    """Two models on the samples that both were measured on.

    Attributes:
        models: "name version" of each.
        shared: how many samples both have.
        left_out: how many only the first has, and only the second.
        differences: by figure.
    """

    models: tuple[str, str]
    shared: int
    left_out: tuple[int, int]
    differences: dict[str, Difference]


def compare(first: Path, second: Path) -> Comparison:
    """Compares all figures of two `metrics.json`, from the predictions beside them.

    Samples are paired by name, split, and, where both occur again, in the order of the files.

    Raises:
        DataError: a file is missing, damaged or belongs to another evaluation; or labels or targets differ, or no
            sample is shared.
    """
    ours, theirs = _Evaluated(first), _Evaluated(second)
    if set(ours.predictions.labels) != set(theirs.predictions.labels) or ours.multilabel != theirs.multilabel:
        raise DataError(
            f"{first} is about {ours.described} and {second} about {theirs.described}; "
            "evaluate both models on one dataset, over the same labels"
        )
    rows, others = _pair(ours.predictions, theirs.predictions)
    if not len(rows):
        raise DataError(f"{first} and {second} share no sample; evaluate both models on the same dataset and split")
    columns = [theirs.predictions.labels.index(label) for label in ours.predictions.labels]
    mine, yours = ours.predictions.targets[rows], theirs.predictions.targets[others][:, columns]
    apart = np.abs(mine - yours).max(axis=1) > _SAME
    if apart.any():
        raise DataError(
            f"{first} and {second} disagree about what is true of {apart.sum():,} of {len(rows):,} shared samples, "
            f"such as {ours.predictions.names[rows[apart.argmax()]]!r}; evaluate both models on the same targets"
        )
    every = np.arange(len(columns))
    return Comparison(
        (ours.title, theirs.title),
        len(rows),
        (len(ours.predictions.names) - len(rows), len(theirs.predictions.names) - len(rows)),
        paired_differences(ours.figures(rows, every), theirs.figures(others, np.array(columns))),
    )


class _Evaluated:
    """A `metrics.json` and the predictions beside it, which belong together."""

    def __init__(self, path: Path) -> None:
        self.metrics = _read_metrics(path)
        self.predictions = Predictions.read(path.with_name(PREDICTIONS))
        labels = self.predictions.labels
        thresholds = labels if self.metrics.thresholds is None else self.metrics.thresholds
        if labels != self.metrics.labels or set(labels) != set(thresholds):
            raise _not_together(path, "labels")
        found = of_all_rows(self.figures(np.arange(len(self.predictions.names)), np.arange(len(labels))))
        for name, value in self.metrics.figures.items():
            if name in found and not abs(found[name] - value) <= _SAME:
                raise _not_together(path, name)

    @property
    def title(self) -> str:
        return f"{self.metrics.model.name} {self.metrics.model.version}"

    @property
    def multilabel(self) -> bool:
        return self.metrics.thresholds is not None

    @property
    def described(self) -> str:
        kind = "several labels at once" if self.multilabel else "one label each"
        return f"{kind} of {', '.join(self.predictions.labels)}"

    def figures(self, rows: Indices, columns: Indices) -> Figures:
        labels = [self.predictions.labels[column] for column in columns]
        probabilities, targets = (
            table[rows][:, columns] for table in (self.predictions.probabilities, self.predictions.targets)
        )
        if self.metrics.thresholds is None:
            return SingleLabel(probabilities, targets, labels, self.predictions.answered[rows])
        return MultiLabel(probabilities, targets, labels, [self.metrics.thresholds[label] for label in labels])


def _read_metrics(path: Path) -> _Metrics:
    remedy = "give the metrics.json that `emolens evaluate ... --out` wrote"
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise DataError(f"{path} is over {_MOST_BYTES:,} bytes long; {remedy}")
        return _Metrics.model_validate_json(content)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; {remedy}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise DataError(f"{path}: {f'{place}: ' if place else ''}{first['msg']}; {remedy}") from None


def _not_together(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} and the {PREDICTIONS} beside it are not of the same evaluation: their {what} differ; "
        f"run `emolens evaluate ... --out {path.parent}` again"
    )


def _pair(ours: Predictions, theirs: Predictions) -> tuple[Indices, Indices]:
    """The rows of the samples that both have, `(M,)` each."""
    places = {key: row for row, key in enumerate(_keys(theirs))}
    pairs = [(row, places[key]) for row, key in enumerate(_keys(ours)) if key in places]
    rows, others = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    return rows, others


def _keys(predictions: Predictions) -> list[Key]:
    seen: Counter[tuple[str, str]] = Counter()
    keys = []
    for sample in zip(predictions.names, predictions.splits, strict=True):
        keys.append((*sample, seen[sample]))
        seen[sample] += 1
    return keys
