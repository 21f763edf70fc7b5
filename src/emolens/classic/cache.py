"""Features that take long to make are kept: a folder of Parquet tables per step, a row per crop."""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

# New crops after which a table is written: some seconds of work are lost if the program is killed.
_PART = 2048


@contextmanager
def cached(step: FeatureStep, features: Features) -> Iterator[FeatureStep]:
    """The same step, but for crops whose features are kept; new ones are kept, too, as they are made.

    Args:
        step: makes the features.
        features: what a card says of it: with other parameters or another model file, other features are kept.
    """
    said = json.dumps(features.model_dump(mode="json"), sort_keys=True)
    name = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    kept = _Kept(step, zoo.cache_folder() / "features" / f"{features.step}-{name}")
    try:
        yield kept
    finally:
        kept.save()


class _Kept:
    """A step that remembers, by a hash of the crop's pixels and their shape."""

    def __init__(self, step: FeatureStep, folder: Path) -> None:
        self.step, self.folder, self.size = step, folder, step.size
        self.known: dict[bytes, NDArray[np.float32]] = {}
        self.unsaved: list[bytes] = []
        self.can_save = True
        for path in sorted(folder.glob("*.parquet")):
            self.known |= self._read(path)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        keys = [
            hashlib.blake2b(crop.tobytes(), digest_size=16, key=str(crop.shape).encode()).digest() for crop in crops
        ]
        new = {key: index for index, key in enumerate(keys) if key not in self.known}
        if new:
            self.known |= dict(zip(new, self.step(crops[list(new.values())]), strict=True))
            self.unsaved += new
        if len(self.unsaved) >= _PART:
            self.save()
        return np.array([self.known[key] for key in keys], np.float32).reshape(len(crops), self.size)

    def save(self) -> None:
        """Writes a table of what is new, whole or not at all, if there is anything."""
        if not self.unsaved or not self.can_save:
            return
        values = np.concatenate([self.known[key] for key in self.unsaved])
        columns = {
            _CROP: pa.array(self.unsaved, pa.binary(16)),
            _VECTOR: pa.FixedSizeListArray.from_arrays(pa.array(values), self.size),
        }
        # Named by its crops, so that two trainings at a time do not overwrite each other's.
        path = self.folder / f"{hashlib.blake2b(b''.join(self.unsaved), digest_size=8).hexdigest()}.parquet"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as unfinished:
                pq.write_table(pa.table(columns), unfinished)
        except OSError as error:
            self.can_save = False
            logger.warning("%s cannot be written (%s), so features are made anew next time", path, error.strerror)
        self.unsaved = []

    def _read(self, path: Path) -> dict[bytes, NDArray[np.float32]]:
        try:
            table = pq.read_table(path, columns=[_CROP, _VECTOR])
            vectors = table[_VECTOR].combine_chunks().flatten().to_numpy().reshape(table.num_rows, self.size)
            return dict(zip(table[_CROP].to_pylist(), vectors.astype(np.float32), strict=True))
        except (OSError, ValueError, KeyError, pa.ArrowException):
            logger.warning("%s is damaged, so its features are made anew", path)
            with suppress(OSError):
                path.unlink()
            return {}
