"""Splits that are drawn, for datasets that bring none."""

import hashlib
from dataclasses import replace

from emolens.data.samples import Dataset, Sample


def hold_out(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Draws a share of the samples by what the images hold, so that copies of an image stay on one side.

    Returns:
        The rest, and the held-out samples; both in the dataset's order.
    """
    held_out = [_draw(sample, seed) < fraction for sample in dataset.samples]
    first, second = (
        tuple(sample for sample, out in zip(dataset.samples, held_out, strict=True) if out is side)
        for side in (False, True)
    )
    return replace(dataset, samples=first), replace(dataset, samples=second)


def _draw(sample: Sample, seed: int) -> float:
    content = sample.image if isinstance(sample.image, bytes) else sample.image.read_bytes()
    digest = hashlib.blake2b(content, digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2**64
