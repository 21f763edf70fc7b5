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

from emolens.errors import DataError, MissingExtraError

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
    photos = [_photo(row) for row in _rows(path)]
    splits = sorted({photo.split for photo in photos})
    if split is not None and split not in splits:
        raise DataError(f"{path} has no split '{split}'; it has {', '.join(splits)}")
    return [photo for photo in photos if split in (None, photo.split)]


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("evaluate", "to read Parquet datasets") from None
    if not path.is_file():
        raise DataError(f"no data at {path}; give the table of faces with --data")
    try:
        present = pyarrow.parquet.read_schema(path).names
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is no Parquet file: {error}") from None
    missing = [column for column in COLUMNS if column not in present]
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(present)}")
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path, columns=list(COLUMNS)).to_pylist()
    return rows


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
