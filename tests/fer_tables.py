"""Small FER2013 tables for tests, laid out as the real one."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")


def face_png(seed: int) -> bytes:
    """A 48x48 grey PNG of noise."""
    file = BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 48), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def fer_row(row: int, label: str | None = "happy", usage: str = "PublicTest", **fields: Any) -> dict[str, Any]:
    """One row, with ten votes for happiness where `fields` give none."""
    votes = {vote: fields.pop(vote, 0) for vote in VOTES}
    if not any(votes.values()):
        votes["happiness"] = 10
    return {"row": row, "usage": usage, "label": label, "png": face_png(row), "leak": False, **votes, **fields}


def write_fer_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Writes the rows as Parquet."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path
