"""Packages of emoji for tests, in the layout of the real ones; the faces are drawn here."""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from emolens.data.emoji.packages import Vendor
from layouts import write

Publish = Callable[[bytes], Vendor]
"""Puts an archive into a registry of packages."""

HAPPY = ("1F600", "1F601", "1F602", "1F603", "1F604", "1F617")
SAD = ("1F613", "1F614", "1F615", "1F622", "1F623")


def row(unified: str, subcategory: str = "face-smiling", category: str = "Smileys & Emotion") -> dict[str, Any]:
    """An entry of `emoji.json`, with a field that nobody needs."""
    image = f"{unified.lower()}.png"
    return {"unified": unified, "image": image, "category": category, "subcategory": subcategory, "sheet_x": 3}


ROWS = (
    *(row(code) for code in HAPPY),
    *(row(code, "face-concerned") for code in SAD),
    row("1F642-200D-2194-FE0F", "face-neutral-skeptical"),
    row("1F436", "animal-mammal", "Animals & Nature"),
)


def face(smiles: bool, colour: str = "gold", side: int = 64) -> Image.Image:
    """A round face on transparent ground."""
    picture = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((0, 0, side - 1, side - 1), colour)
    for x in (0.3, 0.7):
        pen.ellipse((side * (x - 0.08), side * 0.28, side * (x + 0.08), side * 0.44), "saddlebrown")
    top = side * (0.4 if smiles else 0.6)
    mouth = (side * 0.25, top, side * 0.75, top + side * 0.4)
    pen.arc(mouth, *((20, 160) if smiles else (200, 340)), fill="saddlebrown", width=max(1, side // 12))
    return picture


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def package_files(vendor: str, rows: Iterable[dict[str, Any]] = ROWS) -> dict[str, bytes]:
    """The files of a package, by their paths in it."""
    rows = list(rows)
    pictures = {one["image"]: png(face(one["unified"] in HAPPY)) for one in rows}
    return {
        "emoji.json": json.dumps(rows).encode(),
        **{f"img/{vendor}/64/{name}": content for name, content in pictures.items()},
        f"img/{vendor}/sheets/64.png": b"a large picture of all of them",
    }


def write_packages(folder: Path, *vendors: str) -> Path:
    """The unpacked packages, as npm leaves them in `node_modules`."""
    for vendor in vendors:
        for path, content in package_files(vendor).items():
            write(folder / f"emoji-datasource-{vendor}" / path, content)
    return folder


def pack(files: dict[str, bytes], extra: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A package as the registry has it; `extra` are members without content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member)
    return file.getvalue()
