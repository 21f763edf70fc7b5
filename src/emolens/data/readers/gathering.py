"""What readers share: a `Gathering` of samples, of rows left out by rule, and of rows at fault."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import NAMED, Dataset, Objective, Sample, check_split
from emolens.data.splits import draw_splits
from emolens.labels import canonical, did_you_mean

UNDRAWN = ""
"""The split of samples whose dataset brings none, until `Gathering.dataset` draws one."""

_SHOWN = 80


@dataclass(frozen=True)
class Wanted:
    """Which samples of a dataset are asked for.

    Attributes:
        split: only this one, and only its rows are counted as left out; all of them where None.
        keep_leaks: also rows that stand in an earlier split, too.
        seed: of the draw, for datasets that bring no splits.
    """

    split: str | None = None
    keep_leaks: bool = False
    seed: int = 0


class RowError(Exception):
    """A row that cannot be used: raised in `Gathering.row`, which notes it, so that the other rows go on.

    Args:
        reason: as in `Dataset.faults`.
        what: is wrong, and what would be right.
    """

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class Gathering:
    """Collects what a reader finds.

    Args:
        name: of the reader.
        labels: of the targets' entries.
        wanted: which samples are asked for.
    """

    def __init__(self, name: str, labels: Sequence[str], wanted: Wanted) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.wanted = wanted
        self._samples: list[Sample] = []
        self._left_out: Counter[str] = Counter()
        self._faults: defaultdict[str, list[str]] = defaultdict(list)
        self._splits: set[str] = set()

    def wants(self, split: str) -> bool:
        """Whether the rows of this split are asked for; that the dataset has it is noted."""
        self._splits.add(split)
        return self.wanted.split in (None, split)

    @contextmanager
    def row(self, place: str) -> Iterator[None]:
        """Around the reading of one row, whose `RowError` it notes."""
        try:
            yield
        except RowError as fault:
            self.note(fault.reason, f"{place}: {fault}")

    def note(self, reason: str, what: str) -> None:
        """Counts a row at fault; `what` is "place: what is wrong"."""
        self._left_out[reason] += 1
        if len(self._faults[reason]) < NAMED:
            self._faults[reason].append(what)

    def leave_out(self, reason: str) -> None:
        """Counts a row that is left out by rule."""
        self._left_out[reason] += 1

    def add(self, sample: Sample) -> None:
        """Keeps a sample."""
        self._samples.append(sample)

    def one_hot(self, label: str) -> NDArray[np.float32]:
        """The target of one label.

        Raises:
            RowError: the dataset has no such label.
        """
        name = canonical(label)
        if name not in self.labels:
            raise RowError(
                "unknown_label", f"{quoted(label)} is no label of {self.name}{did_you_mean(name, self.labels)}"
            )
        return np.array([label == name for label in self.labels], dtype=np.float32)

    def dataset(self, objective: Objective = "distribution") -> Dataset:
        """All that was gathered; of a dataset without splits, the split that was asked for is drawn.

        Raises:
            DataError: there is no such split.
        """
        faults = {reason: tuple(named) for reason, named in self._faults.items()}
        found = Dataset(self.name, self.labels, tuple(self._samples), dict(self._left_out), faults, objective)
        if any(sample.split == UNDRAWN for sample in found.samples):
            found = draw_splits(found, self.wanted.seed)
            self._splits = {sample.split for sample in found.samples}
        if self.wanted.split is None:
            return found
        check_split(self.name, self.wanted.split, sorted(self._splits))
        return replace(found, samples=tuple(one for one in found.samples if one.split == self.wanted.split))


def image_in(folder: Path, *names: str) -> Path:
    """The image that a dataset's table names: the first of several spellings that is there.

    Raises:
        RowError: none is there, or a name leads out of the folder.
    """
    for name in names:
        path = PurePath(name)
        if path.is_absolute() or ".." in path.parts:
            raise RowError(
                "outside_folder", f"{quoted(name)} leads out of the dataset's folder; give a path inside of it"
            )
        if is_file(folder / path):
            return folder / path
    raise RowError("missing_file", f"there is no file {quoted(names[0])}")


def is_file(path: Path) -> bool:
    """As `Path.is_file`; a name that no file system takes is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def first_of(paths: Sequence[Path]) -> Path | None:
    """The first path that exists."""
    return next((path for path in paths if path.exists()), None)


def quoted(text: str) -> str:
    """Untrusted text for a message: short, and without control characters."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
