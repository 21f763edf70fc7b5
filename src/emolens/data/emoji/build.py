"""Writes the dataset: pictures by vendor, and a table for each labelling that the reader `csv` reads."""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from emolens.data.emoji.meanings import LABELLINGS
from emolens.data.emoji.packages import Emoji, Package, Vendor, read_package, vendors
from emolens.errors import ConfigError, DataError, ImageError
from emolens.files import written_whole
from emolens.image import Limits, decode
from emolens.labels import did_you_mean

FOLDS = 5
"""One emoji in so many is held out; as many tables hold out each of them once."""

COLUMNS = ("image", "label", "split", "vendor", "emoji", "subcategory")

_PICTURE = Limits(max_pixels=512 * 512)


@dataclass(frozen=True)
class Drawing:
    """One emoji as one vendor draws it.

    Attributes:
        image: the PNG file, below the dataset's folder.
    """

    emoji: Emoji
    vendor: str
    image: str


def build(
    out: Path, source: Path | None = None, hold_out: Collection[str] = (), fold: int = 0
) -> dict[str, dict[str, int]]:
    """Writes the dataset.

    Args:
        out: the folder, which is made if need be.
        source: a folder with the unpacked packages; None downloads them.
        hold_out: vendors that are kept for the test.
        fold: 0 to 4: which fifth of the emoji is held out.

    Returns:
        How many pictures each split of each table has.

    Raises:
        ConfigError: there is no such vendor or fold, or nothing would be left to train on.
        DataError: a package is not what it should be.
        ModelError: the download failed.
    """
    for name in hold_out:
        if name not in vendors():
            raise ConfigError(f"'{name}' is no vendor{did_you_mean(name, vendors())}")
    if len(set(hold_out)) == len(vendors()):
        raise ConfigError("every vendor is held out; leave one to train on")
    drawings = write_pictures(out, source)
    return {name: write_table(out, name, drawings, hold_out, fold) for name in LABELLINGS}


def write_pictures(out: Path, source: Path | None = None) -> list[Drawing]:
    """Writes the pictures that some table needs, and the terms of each vendor; arguments and errors as of `build`."""
    packages = {name: read_package(vendor, source) for name, vendor in vendors().items()}
    drawings = [one for name, package in packages.items() for one in _write_package(out, name, package)]
    with written_whole(out / "README.md") as path:
        path.write_text(_terms(vendors()), encoding="utf-8")
    return drawings


def write_table(
    out: Path, labelling: str, drawings: Collection[Drawing], hold_out: Collection[str] = (), fold: int = 0
) -> dict[str, int]:
    """Writes `LABELLING.csv`; arguments, result and errors as of `build`.

    Splits: `train` and `val` are the other emoji and the held-out emoji of the vendors that are trained on; `test-seen`
    and `test-unseen` are the same two groups of emoji as the held-out vendors draw them.
    """
    if fold not in range(FOLDS):
        raise ConfigError(f"there are folds 0 to {FOLDS - 1}, not {fold}")
    labels = {one.emoji.unified: label for one in drawings if (label := LABELLINGS[labelling](one.emoji))}
    folds = _folds(labels)
    counts: dict[str, int] = defaultdict(int)
    with written_whole(out / f"{labelling}.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in drawings:
            code = one.emoji.unified
            if code not in labels:
                continue
            unseen = folds[code] == fold
            split = (
                ("test-unseen" if unseen else "test-seen") if one.vendor in hold_out else "val" if unseen else "train"
            )
            counts[split] += 1
            writer.writerow((one.image, labels[code], split, one.vendor, code, one.emoji.subcategory))
    return dict(counts)


def _write_package(out: Path, vendor: str, package: Package) -> Iterator[Drawing]:
    """Emoji that the vendor has not drawn are left away."""
    folder = out / "images" / vendor
    folder.mkdir(parents=True, exist_ok=True)
    for one in package.emoji:
        picture = package.pictures.get(one.image)
        if picture is None or not any(label(one) for label in LABELLINGS.values()):
            continue
        try:
            decode(picture, _PICTURE)
        except ImageError as error:
            raise DataError(f"the package of {vendor}: {one.image}: {error}") from None
        (folder / one.image).write_bytes(picture)
        yield Drawing(one, vendor, f"images/{vendor}/{one.image}")


def _folds(labels: Mapping[str, str]) -> dict[str, int]:
    """The fold of every emoji, drawn by its code points; each fold has its share of every label."""
    by_label = defaultdict(list)
    for code in sorted(labels, key=_draw):
        by_label[labels[code]].append(code)
    return {code: rank % FOLDS for group in by_label.values() for rank, code in enumerate(group)}


def _draw(code: str) -> bytes:
    return blake2b(code.encode(), digest_size=8).digest()


def _terms(known: Mapping[str, Vendor]) -> str:
    rows = "".join(f"| {name} | `{one.package}` | {one.terms} |\n" for name, one in known.items())
    return f"""# Emoji by four vendors

Pictures of 64 x 64 pixels from the npm packages of https://github.com/iamcal/emoji-data, made by `emolens data emoji`.
They are their vendors'; whoever uses, shows or passes them on answers for keeping their terms:

| folder | from | the artwork's terms, as emoji-data states them |
|---|---|---|
{rows}
`happy-sad.csv` and `emotions.csv` are labels by emolens; columns: {", ".join(COLUMNS)}.
"""
