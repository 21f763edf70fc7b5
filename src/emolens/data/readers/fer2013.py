"""FER2013 (Goodfellow et al., 2013): 48x48 grey faces, one of seven labels each.

Layout: a Parquet table with `row, usage, label, png, leak`.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from emolens.data.readers.fer_table import read_table
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS, canonical, did_you_mean


def read(path: Path, keep_leaks: bool = False, split: str | None = None) -> Dataset:
    """Reads FER2013 over `fer7`, one-hot."""
    labels = LABEL_SETS["fer7"]
    hard_labels = np.eye(len(labels), dtype=np.float32)
    samples, left_out = [], Counter[str]()
    for row in read_table(path, {"label": "string"}, split):
        if row["png"] is None:
            left_out["no_image"] += 1
            continue
        if row["leak"] and not keep_leaks:
            left_out["leak"] += 1
            continue
        label = canonical(row["label"] or "")
        if label not in labels:
            raise DataError(f"{path}: row {row['row']}: '{label}' is no label of fer7{did_you_mean(label, labels)}")
        samples.append(Sample(f"row {row['row']}", row["png"], hard_labels[labels.index(label)], row["usage"]))
    return Dataset("fer2013", labels, tuple(samples), dict(left_out))
