"""Cuts and resizes every picture of a dataset once, so that no training has to decode photographs."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset, Sample
from emolens.data.shards import MANIFEST, LeftOut, Manifest, read_manifest, read_shard, write_manifest, write_shard
from emolens.data.splits import fingerprint
from emolens.errors import ConfigError, DataError
from emolens.text import encodable

# What an interruption costs at most, and what is in memory at once: so much of uncompressed crops.
_SHARD_BYTES, _SHARD_ROWS = 64 << 20, 4096


@dataclass(frozen=True)
class Preparation:
    """A dataset on its way into a folder of shards.

    Attributes:
        dataset: the source.
        manifest: what the folder will hold.
        folder: made by `begin`.
    """

    dataset: Dataset
    manifest: Manifest
    folder: Path

    @classmethod
    def begin(cls, name: str, data: Path, size: Input, crop: Crop, folder: Path, seed: int = 0) -> "Preparation":
        """Reads the source, and starts in an empty folder or goes on in one that holds the same preparation.

        Args:
            name: the reader of the source.
            data: its file or folder.
            size: of the crops.
            crop: how face boxes are cut.
            folder: for the shards.
            seed: of the splits that are drawn where the source brings none.

        Raises:
            DataError: the source cannot be read, or has no sample.
            ConfigError: the folder holds another preparation, or cannot be written to.
        """
        dataset = read_dataset(name, data, seed=seed)
        if not dataset.samples:
            raise DataError(f"{data} leaves no sample to prepare\n{dataset.fault_report}")
        splits = dict.fromkeys(sample.split for sample in dataset.samples)
        # What is left out of a split is known only to a reader that was asked for that split.
        parts = {split: read_dataset(name, data, split, seed=seed) for split in splits} if dataset.left_out else {}
        manifest = Manifest(
            dataset=name,
            labels=dataset.labels,
            objective=dataset.objective,
            input=size,
            crop=crop,
            samples=len(dataset),
            shard_rows=_shard_rows(size),
            key=_key(dataset, size, crop),
            left_out=_left_out(dataset),
            left_out_of={split: _left_out(part) for split, part in parts.items()},
        )
        if not (folder / MANIFEST).exists():
            if any(folder.glob("*.parquet")):
                raise ConfigError(f"{folder} holds Parquet files that are no preparation; choose another --out")
            write_manifest(folder, manifest)
        elif read_manifest(folder).key != manifest.key:
            raise ConfigError(f"{folder} holds other data, or crops of another size or margin; choose another --out")
        return cls(dataset, manifest, folder)

    def write(self) -> Iterator[dict[int, str]]:
        """Makes the shards that are missing or damaged, and keeps the others.

        Yields:
            Per shard, the indices of the samples that cannot be read, each with "name: why", for `Dataset.without`.
        """
        for index in self.manifest.shards:
            places = self.manifest.rows(index)
            rows = self._kept(index)
            if rows is None:
                rows = _rows(self.dataset.samples[places.start : places.stop], self.manifest)
                write_shard(self.folder, index, self.manifest, rows)
            yield {place: row["fault"] for place, row in zip(places, rows, strict=True) if row["fault"] is not None}

    def _kept(self, index: int) -> list[dict[str, Any]] | None:
        try:
            return read_shard(self.folder, index, self.manifest)
        except DataError:
            return None


def _rows(samples: tuple[Sample, ...], manifest: Manifest) -> list[dict[str, Any]]:
    crops, unreadable = cut_crops(samples, manifest.input, manifest.crop)
    readable = iter(crops)
    return [
        {
            "name": encodable(sample.name),
            "split": sample.split,
            "target": sample.target,
            "weight": sample.weight,
            "image": None if index in unreadable else _encode(next(readable)),
            "fault": encodable(unreadable[index]) if index in unreadable else None,
        }
        for index, sample in enumerate(samples)
    ]


def _encode(crop: NDArray[np.uint8]) -> bytes:
    """As BMP: plain pixels, which are read in a sixth of the time that a JPEG takes; a PNG takes longer than both."""
    file = BytesIO()
    Image.fromarray(crop[..., 0] if crop.shape[2] == 1 else crop).save(file, "BMP")
    return file.getvalue()


def _shard_rows(size: Input) -> int:
    assert size.height
    assert size.width
    return max(1, min(_SHARD_ROWS, _SHARD_BYTES // (size.height * size.width * size.channels)))


def _left_out(dataset: Dataset) -> LeftOut:
    faults = {reason: tuple(map(encodable, named)) for reason, named in dataset.faults.items()}
    return LeftOut(left_out=dataset.left_out, faults=faults)


def _key(dataset: Dataset, size: Input, crop: Crop) -> str:
    """A hash of all that the shards depend on; of files, the size and the time of their last change."""
    digest = hashlib.blake2b(digest_size=16)
    whole = (dataset.name, dataset.labels, dataset.objective, size.model_dump(), crop.model_dump())
    digest.update(encodable(repr(whole)).encode())
    for sample in dataset.samples:
        about = (sample.name, sample.split, sample.box, sample.weight, _state(sample.image))
        digest.update(encodable(repr(about)).encode() + sample.target.tobytes())
    return digest.hexdigest()


def _state(image: Path | bytes) -> object:
    if isinstance(image, bytes):
        return fingerprint(image)
    try:
        status = os.stat(image)  # noqa: PTH116 (a path object costs more than the call)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
