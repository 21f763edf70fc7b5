"""Small tables of photographs with faces for tests, laid out as the real one."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def face_row(seed: int, faces: int = 2, split: str = "train", **fields: Any) -> dict[str, Any]:
    """A 96x96 picture of noise with drawn faces on it."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 120, (96, 96, 3), dtype=np.uint8))
    regions = []
    for index in range(faces):
        side = float(rng.integers(18, 36))
        x, y = 48.0 * (index % 2) + 4, float(rng.integers(2, 50))
        regions.append({"x": x, "y": y, "w": side, "h": side, "landmarks": _draw(ImageDraw.Draw(image), x, y, side)})
    file = BytesIO()
    image.save(file, "JPEG", quality=95)
    row = {"image": file.getvalue(), "source": f"drawn:{seed}.jpg", "split": split, "faces": regions, "ignore": []}
    return {**row, **fields}


def write_face_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Writes the rows as Parquet."""
    import pyarrow
    import pyarrow.parquet

    box = [(key, pyarrow.float32()) for key in "xywh"]
    face = pyarrow.struct([*box, ("landmarks", pyarrow.list_(pyarrow.float32(), 10))])
    schema = pyarrow.schema(
        [
            ("image", pyarrow.binary()),
            ("source", pyarrow.string()),
            ("split", pyarrow.string()),
            ("faces", pyarrow.list_(face)),
            ("ignore", pyarrow.list_(pyarrow.struct(box))),
        ]
    )
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path)
    return path


def _draw(draw: ImageDraw.ImageDraw, x: float, y: float, side: float) -> list[float]:
    places = [(0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75)]
    draw.ellipse((x, y, x + side, y + side), fill=(250, 220, 190))
    points = [(x + across * side, y + down * side) for across, down in places]
    for px, py in points:
        draw.ellipse((px - side / 12, py - side / 12, px + side / 12, py + side / 12), fill=(40, 20, 20))
    return [value for point in points for value in point]
