"""Splits that are drawn, for datasets that bring none."""

import hashlib
from bisect import bisect
from collections import defaultdict
from dataclasses import replace
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np

from emolens.data.samples import Dataset, Sample

SplitBy = Literal["image", "row"]
"""What a held-out share is drawn of: images, so that copies stay on one side, or rows, wherever their copies fall."""

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
_BOUNDS = tuple(accumulate(SHARES.values()))[:-1]


def draw_splits(dataset: Dataset, seed: int) -> Dataset:
    """Names the split of every sample, in the shares of `SHARES` within each label.

    It is drawn by what the images hold, so that copies of an image are in one split whatever their labels and names.
    """
    draws = [_draw(sample, seed) for sample in dataset.samples]
    images = dict(zip(reversed(draws), reversed(dataset.samples), strict=True))  # of copies, the first one
    by_label = defaultdict(list)
    for draw, first in sorted(images.items(), key=lambda image: image[0]):
        by_label[int(first.target.argmax())].append(draw)
    splits = {
        draw: _split_at((rank + 0.5) / len(group)) for group in by_label.values() for rank, draw in enumerate(group)
    }
    samples = (replace(sample, split=splits[draw]) for sample, draw in zip(dataset.samples, draws, strict=True))
    return replace(dataset, samples=tuple(samples))


def hold_out(dataset: Dataset, fraction: float, seed: int, by: SplitBy = "image") -> tuple[Dataset, Dataset]:
    """Draws a share of the samples.

    Returns:
        The rest, and the held-out samples; both in the dataset's order.
    """
    if by == "image":
        draws = [_draw(sample, seed) for sample in dataset.samples]
    else:
        draws = np.random.default_rng(seed).random(len(dataset)).tolist()
    held_out = [draw < fraction for draw in draws]
    first, second = (
        tuple(sample for sample, out in zip(dataset.samples, held_out, strict=True) if out is side)
        for side in (False, True)
    )
    return replace(dataset, samples=first), replace(dataset, samples=second)


def fingerprint(image: Path | bytes, key: bytes = b"") -> bytes:
    """A hash of what an image file holds; of its path where it cannot be read, which is told when it is decoded."""
    digest = hashlib.blake2b(digest_size=16, key=key)
    try:
        with BytesIO(image) if isinstance(image, bytes) else image.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    except OSError:
        digest.update(str(image).encode(errors="surrogateescape"))
    return digest.digest()


def _split_at(quantile: float) -> str:
    return tuple(SHARES)[bisect(_BOUNDS, quantile)]


def _draw(sample: Sample, seed: int) -> float:
    return int.from_bytes(fingerprint(sample.image, str(seed).encode())[:8], "big") / 2**64
