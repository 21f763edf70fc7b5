"""Crops that `emolens data prepare` has cut: shards of Parquet, beside the manifest that says what they must hold.

Layout: a folder with `prepared.json` and `00000.parquet`, `00001.parquet` and so on, each with `name, split, target,
weight, image` (BMP), and `fault` for a picture that could not be read.
"""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from emolens.data.readers.gathering import Gathering, RowError, Wanted
from emolens.data.readers.targets import fractions
from emolens.data.samples import NAMED, Dataset, Sample
from emolens.data.shards import LeftOut, read_manifest, read_shard, shard_path
from emolens.errors import DataError


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads the crops over the labels of their source, with what was left out there."""
    manifest = read_manifest(path)
    needed, made = len(manifest.shards), sum(shard_path(path, index).is_file() for index in manifest.shards)
    if made < needed:
        raise DataError(f"{path} has {made} of {needed} shards; the same `emolens data prepare` makes the others")
    gathering = Gathering("prepared", manifest.labels, wanted)
    for index in manifest.shards:
        for row in read_shard(path, index, manifest):
            if gathering.wants(row["split"]):
                with gathering.row(f"{shard_path(path, index).name}, {row['name']}"):
                    _add(gathering, row)
    source = manifest.left_out if wanted.split is None else manifest.left_out_of.get(wanted.split, LeftOut())
    return _after(source, gathering.dataset(manifest.objective))


def _add(gathering: Gathering, row: dict[str, Any]) -> None:
    if row["image"] is None:
        gathering.note("unreadable_image", row["fault"] or row["name"])
        return
    if not (math.isfinite(row["weight"]) and row["weight"] >= 0):
        raise RowError("bad_value", f"{row['weight']} is no weight")
    gathering.add(Sample(row["name"], row["image"], fractions(row["target"]), row["split"], weight=row["weight"]))


def _after(source: LeftOut, dataset: Dataset) -> Dataset:
    """The dataset with what its source had left out already."""
    left_out = Counter(source.left_out) + Counter(dataset.left_out)
    faults = {
        reason: (*source.faults.get(reason, ()), *dataset.faults.get(reason, ()))[:NAMED]
        for reason in {**source.faults, **dataset.faults}
    }
    return replace(dataset, left_out=dict(left_out), faults=faults)
