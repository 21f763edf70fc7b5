"""Sample and Dataset: what every reader gives and every training and evaluation takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emolens.errors import DataError
from emolens.labels import project, regroup
from emolens.results import Box

NAMED = 10
"""How many rows at fault a report names for each reason; the others are counted."""

Objective = Literal["distribution", "multilabel"]


def have_single_top(targets: NDArray[np.float32]) -> NDArray[np.bool_]:
    """`(N,)`: which rows of `(N, L)` targets are decided: one label has more than each other."""
    single: NDArray[np.bool_] = (targets == targets.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return single


@dataclass(frozen=True)
class Sample:
    """One image with its target.

    Attributes:
        name: says which sample it is, in reports and errors.
        image: a path, or the encoded bytes.
        target: `(L,)` float32 over the dataset's labels: one-hot, a distribution, or multi-hot.
        split: as the dataset calls it, such as `Training`.
        box: the face in the image, `(x, y, w, h)` in pixels; None where the image is the crop.
        weight: how much the sample counts in training.
        metadata: whatever else the source says of it, by column, such as `{"camera": "webcam"}`; evaluations are sliced
            by it.
    """

    name: str
    image: Path | bytes
    target: NDArray[np.float32]
    split: str
    box: Box | None = None
    weight: float = 1.0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Samples over one label set.

    Attributes:
        name: the reader's name.
        labels: of the targets' entries, in order.
        samples: in the order of the source.
        left_out: how many rows were left out, by reason; nothing is dropped in silence.
        faults: for the reasons that are mistakes in the data, the first `NAMED` rows, each as "place: what is wrong".
        objective: `distribution` where targets sum to one, `multilabel` where they are multi-hot.
    """

    name: str
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]
    left_out: dict[str, int] = field(default_factory=dict)
    faults: dict[str, tuple[str, ...]] = field(default_factory=dict)
    objective: Objective = "distribution"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def targets(self) -> NDArray[np.float32]:
        """`(N, L)` float32."""
        return np.array([sample.target for sample in self.samples], dtype=np.float32).reshape(-1, len(self.labels))

    def project(self, labels: Sequence[str]) -> "Dataset":
        """The same samples over another label set; those with nothing to say about it are left out and counted.

        Of a multilabel dataset all stay: that no label is present is an answer, too.
        """
        if self.objective == "multilabel":
            present = np.minimum(regroup(self.targets, self.labels, labels), 1)
            samples = tuple(replace(sample, target=row) for sample, row in zip(self.samples, present, strict=True))
            return replace(self, labels=tuple(labels), samples=samples)
        targets = project(self.targets, self.labels, labels)
        kept = tuple(
            replace(sample, target=target) for sample, target in zip(self.samples, targets, strict=True) if target.any()
        )
        return replace(self, labels=tuple(labels), samples=kept).leaving_out(
            "no_place_in_labels", len(self) - len(kept)
        )

    @property
    def decided(self) -> NDArray[np.bool_]:
        """`(N,)`: whether the sample has a single top label."""
        return have_single_top(self.targets)

    def without_ties(self) -> "Dataset":
        """Only the samples that are decided; accuracy means nothing on the others."""
        kept = tuple(sample for sample, one in zip(self.samples, self.decided, strict=True) if one)
        return replace(self, samples=kept).leaving_out("tie", len(self) - len(kept))

    def leaving_out(self, reason: str, count: int) -> "Dataset":
        """The same dataset with `count` more rows noted as left out."""
        total = self.left_out.get(reason, 0) + count
        return replace(self, left_out={**self.left_out, reason: total} if total else self.left_out)

    def without(self, reason: str, faulty: Mapping[int, str]) -> "Dataset":
        """The same dataset without some samples, which are noted as at fault.

        Args:
            reason: as in `left_out`.
            faulty: the samples' indices, each with "place: what is wrong".
        """
        kept = tuple(sample for index, sample in enumerate(self.samples) if index not in faulty)
        named = (*self.faults.get(reason, ()), *faulty.values())[:NAMED]
        faults = {**self.faults, reason: named} if faulty else self.faults
        return replace(self, samples=kept, faults=faults).leaving_out(reason, len(faulty))

    @property
    def fault_report(self) -> str:
        """All faults in words, several lines; empty where there are none."""
        lines = []
        for reason, named in self.faults.items():
            count = self.left_out[reason]
            lines += [f"  {reason.replace('_', ' ')}: {count:,}", *(f"    {one}" for one in named)]
            if count > len(named):
                lines.append(f"    and {count - len(named):,} more")
        total = sum(self.left_out[reason] for reason in self.faults)
        return "\n".join((f"{self.name}: left out for faults in the data: {total:,}", *lines)) if lines else ""

    def check_faultless(self) -> None:
        """Refuses a dataset with faults.

        Raises:
            DataError: with the whole report.
        """
        if self.faults:
            raise DataError(f"{self.fault_report}\ncorrect or remove them in the data")


def check_split(name: str, split: str, known: Sequence[str]) -> None:
    """Refuses a split that the dataset does not have."""
    if split not in known:
        raise DataError(f"{name} has no split '{split}'; it has {', '.join(sorted(known))}")
