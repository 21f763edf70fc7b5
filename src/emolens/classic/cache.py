"""Features that take long to make are kept: a Parquet table per step, a row per crop."""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from emolens import zoo
from emolens.card import Features
from emolens.features.base import FeatureStep
from emolens.files import written_whole

logger = logging.getLogger(__name__)

_CROP, _VECTOR = "crop", "features"


@contextmanager
def cached(step: FeatureStep, features: Features) -> Iterator[FeatureStep]:
    """The same step, but for crops whose features are kept; at the end the new ones are kept, too.

    Args:
        step: makes the features.
        features: what a card says of it: with other parameters or another model file, other features are kept.
    """
    said = json.dumps(features.model_dump(mode="json"), sort_keys=True)
    name = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    table = _Kept(step, zoo.cache_folder() / "features" / f"{features.step}-{name}.parquet")
    try:
        yield table
    finally:
        table.save()


class _Kept:
    """A step that remembers, by a hash of the crop's pixels and their shape."""

    def __init__(self, step: FeatureStep, path: Path) -> None:
        self.step, self.path, self.size = step, path, step.size
        self.known = self._read()
        self.before = len(self.known)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        keys = [
            hashlib.blake2b(crop.tobytes(), digest_size=16, key=str(crop.shape).encode()).digest() for crop in crops
        ]
        new = {key: index for index, key in enumerate(keys) if key not in self.known}
        if new:
            self.known |= dict(zip(new, self.step(crops[list(new.values())]), strict=True))
        return np.array([self.known[key] for key in keys], np.float32).reshape(len(crops), self.size)

    def save(self) -> None:
        """Writes the table, whole or not at all, if there is anything new."""
        if len(self.known) == self.before:
            return
        values = np.concatenate(list(self.known.values()))
        columns = {
            _CROP: pa.array(self.known, pa.binary(16)),
            _VECTOR: pa.FixedSizeListArray.from_arrays(pa.array(values), self.size),
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(self.path) as unfinished:
                pq.write_table(pa.table(columns), unfinished)
        except OSError as error:
            logger.warning("%s cannot be written (%s), so features are made anew next time", self.path, error.strerror)

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        if not self.path.is_file():
            return {}
        try:
            table = pq.read_table(self.path, columns=[_CROP, _VECTOR])
            vectors = table[_VECTOR].combine_chunks().flatten().to_numpy().reshape(table.num_rows, self.size)
            return dict(zip(table[_CROP].to_pylist(), vectors.astype(np.float32), strict=True))
        except (OSError, ValueError, KeyError, pa.ArrowException):
            logger.warning("%s is damaged, so features are made anew", self.path)
            return {}
