"""What a dataset holds: samples per label and split, sizes of the pictures, copies of them, and what is at fault."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.card import Crop, Input
from emolens.cores import usable_cores
from emolens.data.crops import decode_sample
from emolens.data.samples import Dataset, Sample
from emolens.data.similar import group_alike, perceptual_hash, pixel_hash
from emolens.errors import ImageError
from emolens.image import crop_face

# At which a face in a photograph is compared; a picture that is the crop already is compared as it is.
_FACE = Input(height=64, width=64, channels=3)

_SIZES = 5
"""How many of the most common sizes are told."""


@dataclass(frozen=True)
class Look:
    """What is to be known of one sample's picture.

    Attributes:
        size: width and height in pixels.
        pixels: the same only where every pixel is, of the face where the sample has a box.
        likeness: `(63,)` bool, alike where that is, too.
    """

    size: tuple[int, int]
    pixels: bytes
    likeness: NDArray[np.bool_]


def look_at(samples: Sequence[Sample]) -> Iterator[Look | ImageError]:
    """Decodes every sample, in threads; one result per sample, in order."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        yield from pool.map(_look, samples)


def _look(sample: Sample) -> Look | ImageError:
    try:
        photo = decode_sample(sample)
    except ImageError as error:
        return error
    shown = photo.pixels if sample.box is None else crop_face(photo.pixels, sample.box, Crop(), _FACE)
    return Look((photo.width, photo.height), pixel_hash(shown), perceptual_hash(shown))


@dataclass(frozen=True)
class Copies:
    """Samples that show what another sample shows.

    Attributes:
        groups: the names of samples that show the same, in the order of the dataset.
        counts: by split and split, how many samples of the first are in the second, too; for one split twice, how many
            of its samples are in it more than once.
    """

    groups: tuple[tuple[str, ...], ...]
    counts: dict[tuple[str, str], int]

    def to_dict(self) -> dict[str, Any]:
        counts = [{"split": one, "also_in": other, "samples": count} for (one, other), count in self.counts.items()]
        return {"counts": counts, "groups": [list(group) for group in self.groups]}


@dataclass(frozen=True)
class Description:
    """What `describe` found.

    Attributes:
        dataset: the samples that can be read; what cannot is noted in it.
        counts: by split and label, how many samples have it: as their top label or, of a multilabel dataset, at all.
        unlabelled: by split, how many samples have no single top label or, of a multilabel dataset, no label.
        sizes: by width and height, how many pictures, the most common first.
        exact: copies to the pixel.
        near: near copies; counted where there is no exact one in that split, and of exact ones only the first is named.
    """

    dataset: Dataset
    counts: dict[str, dict[str, int]]
    unlabelled: dict[str, int]
    sizes: dict[tuple[int, int], int]
    exact: Copies
    near: Copies

    @property
    def total(self) -> dict[str, int]:
        """By label, how many samples of all splits."""
        return {label: sum(split[label] for split in self.counts.values()) for label in self.dataset.labels}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        sides = [sorted(side) for side in zip(*Counter(self.sizes).elements(), strict=True)]
        common = [{"width": w, "height": h, "samples": count} for (w, h), count in list(self.sizes.items())[:_SIZES]]
        return {
            "dataset": self.dataset.name,
            "objective": self.dataset.objective,
            "labels": list(self.dataset.labels),
            "samples": len(self.dataset),
            "splits": dict(Counter(sample.split for sample in self.dataset.samples)),
            "counts": self.counts,
            "unlabelled": self.unlabelled,
            "imbalance": {split: imbalance(counts) for split, counts in self.counts.items()},
            "imbalance_of_all": imbalance(self.total),
            "sizes": {
                "different": len(self.sizes),
                **{
                    name: {"min": side[0], "median": median_low(side), "max": side[-1]}
                    for name, side in zip(("width", "height"), sides, strict=False)
                },
                "most_common": common,
            },
            "exact_copies": self.exact.to_dict(),
            "near_copies": self.near.to_dict(),
            "left_out": self.dataset.left_out,
            "faults": {reason: list(named) for reason, named in self.dataset.faults.items()},
        }


def imbalance(counts: dict[str, int]) -> float | None:
    """How often the most frequent label is there for each time that the rarest is; None where there is none at all."""
    present = [count for count in counts.values() if count]
    return round(max(present) / min(present), 2) if present else None


def describe(dataset: Dataset, looks: Iterable[Look | ImageError]) -> Description:
    """Counts, measures and compares.

    Args:
        dataset: any, read with its leaks, so that they are told as copies.
        looks: of its samples, as `look_at` gives them.
    """
    seen: list[Look] = []
    unreadable: dict[int, str] = {}
    for index, look in enumerate(looks):
        if isinstance(look, ImageError):
            unreadable[index] = f"{dataset.samples[index].name}: {look}"
        else:
            seen.append(look)
    readable = dataset.without("unreadable_image", unreadable)
    counts, unlabelled = _count(readable)
    sizes = dict(Counter(look.size for look in seen).most_common())
    return Description(readable, counts, unlabelled, sizes, *_copies(readable.samples, seen))


def labelled(dataset: Dataset) -> NDArray[np.bool_]:
    """`(N, L)`: which labels a sample counts for: those that it has or, of a distribution, its single top label."""
    if dataset.objective == "multilabel":
        return dataset.targets > 0
    top = dataset.targets.argmax(axis=1)[:, None] == np.arange(len(dataset.labels))
    only: NDArray[np.bool_] = top & dataset.decided[:, None]
    return only


def _count(dataset: Dataset) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    has, counts, unlabelled = labelled(dataset), {}, {}
    splits = np.array([sample.split for sample in dataset.samples])
    for split in dict.fromkeys(splits.tolist()):
        inside = has[splits == split]
        counts[split] = dict(zip(dataset.labels, inside.sum(axis=0).tolist(), strict=True))
        unlabelled[split] = int((~inside.any(axis=1)).sum())
    return counts, unlabelled


def _copies(samples: Sequence[Sample], looks: Sequence[Look]) -> tuple[Copies, Copies]:
    """The exact and the near copies."""
    pictures: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, look in enumerate(looks):
        pictures[look.pixels].append(index)
    firsts = [members[0] for members in pictures.values()]
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for group, first in zip(_groups(looks, firsts), firsts, strict=True):
        alike[group].append(first)
    exact, near = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for group_firsts in alike.values():
        # Per picture of the group, how many samples of each split show it.
        shown = [Counter(samples[index].split for index in pictures[looks[first].pixels]) for first in group_firsts]
        splits = Counter(split for splits in shown for split in splits)
        for here in shown:
            for split, count in here.items():
                for other, pictures_there in splits.items():
                    if here[other] > (split == other):
                        exact[split, other] += count
                    elif pictures_there > (other in here):
                        near[split, other] += count
    same = [members for members in pictures.values() if len(members) > 1]
    similar = [members for members in alike.values() if len(members) > 1]
    return _named(samples, same, exact), _named(samples, similar, near)


def _groups(looks: Sequence[Look], firsts: Sequence[int]) -> list[int]:
    if not firsts:
        return []
    groups: list[int] = group_alike(np.stack([looks[first].likeness for first in firsts])).tolist()
    return groups


def _named(samples: Sequence[Sample], groups: Iterable[Sequence[int]], counts: Counter[tuple[str, str]]) -> Copies:
    names = tuple(tuple(samples[index].name for index in group) for group in groups)
    return Copies(names, dict(sorted(counts.items())))
