"""FI, Flickr and Instagram (You et al., 2016): photographs with one of Mikels' eight emotions each, as voted.

Layouts:
    A folder for each emotion, `<emotion>/*.jpg`.
    `annotations/train|val|test.txt` (lines such as `123456.jpg amusement`) or `.csv` (`image_name,emotion`), and the
    pictures as `images/flickr/*.jpg` and `images/instagram/*.jpg`.
    The votes, `*.csv` with `emotion, url, disagree, agree`, and the pictures in `images/` likewise.
The first and the last bring no splits; they are drawn.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from emolens.data.readers.folders import labelled_files
from emolens.data.readers.gathering import UNDRAWN, Gathering, RowError, Wanted, first_of, image_in
from emolens.data.readers.tables import read_rows, read_table, whole_number
from emolens.data.samples import Dataset, Sample
from emolens.data.splits import fingerprint
from emolens.labels import LABEL_SETS

_VOTES = ("emotion", "url", "disagree", "agree")
_SPLITS = ("train", "val", "test")
_VOTERS = 5
"""How many people usually voted on a picture."""


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads FI over `mikels8`: one-hot, or soft and weighted where the votes are there."""
    gathering = Gathering("fi", LABEL_SETS["mikels8"], wanted)
    folder = path if path.is_dir() else path.parent
    tables = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if (path / "annotations").is_dir():
        _read_annotations(path, gathering)
    elif tables:
        for table in tables:
            _read_votes(table, folder, gathering)
    else:
        _read_folders(path, gathering)
    return gathering.dataset()


def _read_folders(path: Path, gathering: Gathering) -> None:
    files = list(labelled_files(path, gathering))
    placeholders = _placeholders(files)
    for label, file in files:
        place = file.relative_to(path).as_posix()
        if file in placeholders:
            gathering.leave_out("placeholder")
            continue
        with gathering.row(place):
            gathering.add(Sample(place, file, gathering.one_hot(label), UNDRAWN))


def _read_annotations(path: Path, gathering: Gathering) -> None:
    for split in _SPLITS:
        table = first_of([path / "annotations" / f"{split}{suffix}" for suffix in (".csv", ".txt")])
        if table is None or not gathering.wants(split):
            continue
        for number, name, emotion in _annotations(table, gathering):
            with gathering.row(f"{table.name}:{number}"):
                gathering.add(Sample(f"{split}, {name}", _picture(path, name), gathering.one_hot(emotion), split))


def _annotations(table: Path, gathering: Gathering) -> Iterable[tuple[int, str, str]]:
    if table.suffix == ".csv":
        for number, row in read_table(table, gathering, ("image_name", "emotion")):
            yield number, row["image_name"], row["emotion"]
        return
    for number, fields in read_rows(table, " "):
        if len(fields) == 2:
            yield number, fields[0], fields[1]
        else:
            gathering.note("bad_row", f"{table.name}:{number}: has {len(fields)} fields; it must be NAME and EMOTION")


def _read_votes(table: Path, folder: Path, gathering: Gathering) -> None:
    """A vote against an emotion counts for the other seven alike; a picture with more voters has more weight."""
    for number, row in read_table(table, gathering, _VOTES, headless=_VOTES):
        with gathering.row(f"{table.name}:{number}"):
            emotion = gathering.one_hot(row["emotion"])
            disagree, agree = whole_number(row["disagree"]), whole_number(row["agree"])
            if not disagree + agree:
                raise RowError("bad_votes", "has no votes")
            if agree <= disagree:
                gathering.leave_out("mostly_disagree")
                continue
            votes = np.where(emotion, agree, disagree / (len(emotion) - 1)).astype(np.float32)
            image = _picture(folder, row["url"].partition("?")[0].rpartition("/")[2])
            name = f"{table.name}:{number}"
            weight = (agree + disagree) / _VOTERS
            gathering.add(Sample(name, image, votes / votes.sum(), UNDRAWN, weight=weight))


def _picture(folder: Path, name: str) -> Path:
    return image_in(folder, *(f"images/{place}{name}" for place in ("", "flickr/", "instagram/")))


def _placeholders(files: Iterable[tuple[str, Path]]) -> set[Path]:
    """Files of one content under several emotions: what Flickr gives for a picture that is banned or gone."""
    sizes = {file: file.stat().st_size for _, file in files}
    common = {size for size, count in Counter(sizes.values()).items() if count > 1}
    copies = defaultdict(list)
    for label, file in files:
        if sizes[file] in common:
            copies[fingerprint(file)].append((label, file))
    alike = (group for group in copies.values() if len({label for label, _ in group}) > 1)
    return {file for group in alike for _, file in group}
