"""FER2013 (Goodfellow et al., 2013): 48x48 grey faces, one of seven labels each.

Layouts:
    `fer2013.csv`, with `emotion, pixels, Usage`, or `icml_face_data.csv`; also a folder that holds one of them.
    A folder with `train/<emotion>/Training_N.jpg` and `test/<emotion>/{PublicTest,PrivateTest}_N.jpg`.
    A Parquet table with `row, usage, label, png, leak`.
"""

from pathlib import Path

from emolens.data.readers import fer_csv
from emolens.data.readers.fer_table import read_table
from emolens.data.readers.gathering import Gathering, Wanted, first_of
from emolens.data.readers.tables import whole_number
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

_CODES = LABEL_SETS["fer7"]


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads FER2013 over `fer7`, one-hot."""
    gathering = Gathering("fer2013", LABEL_SETS["fer7"], wanted)
    table = first_of([path / name for name in fer_csv.NAMES]) if path.is_dir() else path
    if table is None:
        _read_folders(path, gathering)
    elif table.suffix.lower() == ".csv":
        _read_csv(table, gathering)
    else:
        _read_parquet(table, gathering)
    return gathering.dataset()


def _read_parquet(path: Path, gathering: Gathering) -> None:
    for row in read_table(path, {"label": "string"}, gathering):
        name = f"row {row['row']}"
        with gathering.row(f"{path.name}, {name}"):
            _add(gathering, name, row["usage"], row["label"] or "", row["png"], row["leak"])


def _read_csv(path: Path, gathering: Gathering) -> None:
    copies = fer_csv.find_leaks(path, gathering)
    for face in fer_csv.read_faces(path, gathering):
        if gathering.wants(face.usage):
            with gathering.row(f"{path.name}, {face.name}"):
                code = whole_number(face.code)
                label = _CODES[code] if code < len(_CODES) else face.code
                leak = copies.leaked(face.usage, face.pixels.encode())
                _add(gathering, face.name, face.usage, label, face.image(), leak)


def _read_folders(path: Path, gathering: Gathering) -> None:
    files = sorted(file for part in ("train", "test") for file in path.glob(f"{part}/*/*") if file.is_file())
    if not files:
        raise DataError(f"{path} holds neither {' nor '.join(fer_csv.NAMES)} nor train/<emotion>/Training_N.jpg")
    usages = {file: file.name.partition("_")[0] for file in files}
    known = () if gathering.wanted.keep_leaks else (file for file in files if usages[file] in fer_csv.USAGES)
    copies = fer_csv.Copies((usages[file], file) for file in known)
    for file in files:
        place = file.relative_to(path).as_posix()
        with gathering.row(place):
            usage = fer_csv.known_usage(usages[file])
            if gathering.wants(usage):
                _add(gathering, place, usage, file.parent.name, file, copies.leaked(usage, file))


def _add(gathering: Gathering, name: str, usage: str, label: str, image: bytes | Path | None, leak: bool) -> None:
    if image is None:
        gathering.leave_out("no_image")
    elif leak and not gathering.wanted.keep_leaks:
        gathering.leave_out("leak")
    else:
        gathering.add(Sample(name, image, gathering.one_hot(label), usage))
