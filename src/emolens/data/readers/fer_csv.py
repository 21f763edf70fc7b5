"""The table of text that Kaggle distributes FER2013 in: `fer2013.csv`, and `icml_face_data.csv` of the same content."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from emolens.data.readers.gathering import Gathering, RowError, quoted
from emolens.data.readers.tables import read_table
from emolens.data.splits import fingerprint

NAMES = ("fer2013.csv", "icml_face_data.csv")
USAGES = ("Training", "PublicTest", "PrivateTest")
"""The splits, in their order: an image of one that stands in an earlier one, too, has leaked."""

_SIDE = 48


@dataclass(frozen=True)
class Face:
    """One row.

    Attributes:
        row: from 0, in the file's order, by which FER+ refers to it.
        usage: one of `USAGES`.
        code: of the label.
        pixels: 2304 numbers, separated by blanks.
    """

    row: int
    usage: str
    code: str
    pixels: str

    @property
    def name(self) -> str:
        return f"row {self.row}"

    def image(self) -> bytes | None:
        """The picture as PNG; None where it is one flat grey, which is how FER2013 marks lost pictures.

        Raises:
            RowError: there are not as many pixels, or they are no numbers from 0 to 255.
        """
        try:
            grey = bytes(map(int, self.pixels.split()))
        except ValueError:
            raise RowError("bad_pixels", f"{quoted(self.pixels)} are not all numbers from 0 to 255") from None
        if len(grey) != _SIDE**2:
            raise RowError("bad_pixels", f"has {len(grey):,} pixels; a face has {_SIDE**2:,}")
        if len(set(grey)) == 1:
            return None
        file = BytesIO()
        Image.frombytes("L", (_SIDE, _SIDE), grey).save(file, "PNG", compress_level=1)
        return file.getvalue()


class Copies:
    """Which images stand in an earlier split, too.

    Args:
        images: of all splits, each with its split.
    """

    def __init__(self, images: Iterable[tuple[str, Path | bytes]]) -> None:
        self._first: dict[bytes, int] = {}
        for usage, image in images:
            key, rank = fingerprint(image), USAGES.index(usage)
            self._first[key] = min(rank, self._first.get(key, rank))

    def leaked(self, usage: str, image: Path | bytes) -> bool:
        return self._first.get(fingerprint(image), len(USAGES)) < USAGES.index(usage)


def read_faces(path: Path, gathering: Gathering) -> Iterator[Face]:
    """The rows of all splits; those of an unknown split are noted as at fault."""
    for number, row in read_table(path, gathering, ("emotion", "usage", "pixels")):
        face = None
        with gathering.row(f"{path.name}:{number}"):
            face = Face(number - 2, known_usage(row["usage"]), row["emotion"], row["pixels"])
        if face:
            yield face


def find_leaks(path: Path, gathering: Gathering) -> Copies:
    """The copies among the rows of the file, by their pixels; none where leaks are to be kept."""
    silent = Gathering(gathering.name, gathering.labels, gathering.wanted)
    faces = () if gathering.wanted.keep_leaks else read_faces(path, silent)
    return Copies((face.usage, face.pixels.encode()) for face in faces)


def known_usage(usage: str) -> str:
    """The usage itself.

    Raises:
        RowError: FER2013 has no such split.
    """
    if usage not in USAGES:
        raise RowError("unknown_split", f"{quoted(usage)} is no split of FER2013; there are {', '.join(USAGES)}")
    return usage
