"""Photographs with face boxes and landmarks, for the detector.

Layout: a Parquet table with `image` (JPEG), `source, split`, `faces` (list of `x, y, w, h, landmarks`) and `ignore`
(list of `x, y, w, h`), all in pixels of the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.data.readers.parquet import read_parquet

COLUMNS = ("image", "source", "split", "faces", "ignore")


@dataclass(frozen=True)
class FacePhoto:
    """One photograph with its faces.

    Attributes:
        image: the encoded bytes.
        source: where it is from, up to the first colon the collection.
        split: as the table calls it.
        boxes: `(N, 4)` float32, `x, y, w, h`.
        landmarks: `(N, 5, 2)` float32: right eye, left eye, nose, right and left mouth corner.
        ignore: `(M, 4)` float32: regions that are neither face nor background.
    """

    image: bytes
    source: str
    split: str
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignore: NDArray[np.float32]

    @property
    def collection(self) -> str:
        return self.source.partition(":")[0]


def read_face_photos(path: Path, split: str | None = None) -> list[FacePhoto]:
    """Reads the table, or one split of it.

    Raises:
        DataError: the file is missing, is no Parquet, lacks a column, or has no such split.
    """
    return [_photo(row) for row in read_parquet(path, COLUMNS, "split", split).to_pylist()]


def _photo(row: dict[str, Any]) -> FacePhoto:
    faces = row["faces"]
    return FacePhoto(
        image=row["image"],
        source=row["source"],
        split=row["split"],
        boxes=_boxes(faces),
        landmarks=np.array([face["landmarks"] for face in faces], dtype=np.float32).reshape(-1, 5, 2),
        ignore=_boxes(row["ignore"]),
    )


def _boxes(regions: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    return np.array([[region[key] for key in "xywh"] for region in regions], dtype=np.float32).reshape(-1, 4)
