"""FER+ (Barsoum et al., 2016): ten crowd votes for each FER2013 face, kept as distributions.

Layout: a Parquet table with `row, usage, png, leak` and the ten vote columns.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from emolens.data.readers.fer_table import read_table
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS, canonical

_VOTES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip


def read(path: Path, keep_leaks: bool = False, split: str | None = None) -> Dataset:
    """Reads FER+ over `ferplus8` and `unknown`; rows mostly voted NF (no face) are left out and counted."""
    labels = (*LABEL_SETS["ferplus8"], "unknown")
    assert tuple(canonical(vote) for vote in _VOTES[:-1]) == labels
    samples, left_out = [], Counter[str]()
    for row in read_table(path, dict.fromkeys(_VOTES, "int64"), split):
        votes = np.array([row[vote] for vote in _VOTES[:-1]], dtype=np.float32)
        if row["NF"] > votes.max():
            left_out["mostly_no_face"] += 1
        elif row["png"] is None:
            left_out["no_image"] += 1
        elif row["leak"] and not keep_leaks:
            left_out["leak"] += 1
        elif votes.min() < 0 or votes.max() == 0:
            raise DataError(f"{path}: row {row['row']} has no votes, or negative ones; correct the table")
        else:
            samples.append(Sample(f"row {row['row']}", row["png"], votes / votes.sum(), row["usage"]))
    return Dataset("ferplus", labels, tuple(samples), dict(left_out))
