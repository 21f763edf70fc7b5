"""Answers with pictures -> a folder that the reader `csv` takes: the opinions on one picture are one soft label."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from emolens.card import Crop, Input, ModelCard
from emolens.errors import ConfigError
from emolens.feedback.store import Kept
from emolens.feedback.subjects import Subjects, vote_of
from emolens.files import written_whole
from emolens.image import crop_face, decode
from emolens.labels import LABEL_SETS, canonical
from emolens.results import Box

TABLE = "labels.csv"

_MOST_SIDE = 2048

_README = """\
# Feedback

Exported by emolens on {date} for models such as '{model}': {pictures} pictures with what people said of them, {answers}
answers. Everybody who sent a picture has agreed that it is stored and learnt from.

- `{table}`: a row per picture; a column per label with the share of the answers that named it (who named several has
  shared out one vote), and `meta_answers`, how many answers there were. Pictures of one photograph are in one split,
  and stay in it in every later export.
- `images/`: {what}, without EXIF. A file has the id of the first answer about it.

Train with it: `emolens train RECIPE --set data.dataset=csv --data` and this folder.

When somebody withdraws their consent: `emolens feedback delete ID` where it was collected, then export anew and delete
this folder, here and wherever it was passed on.
"""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        pictures: rows of the table.
        answers: that they come from.
        left_out: how many answers with a picture were left out, by reason.
    """

    pictures: int
    answers: int
    left_out: Mapping[str, int]


def export(kept: Iterable[Kept], card: ModelCard, folder: Path) -> Exported:
    """Writes what a model like this one can learn from: faces where it looks at faces, else whole images.

    Args:
        kept: the answers, each with its picture.
        card: of the model: its labels are the columns, and faces are cut as it wants them.
        folder: to write to; it must not hold anything yet.

    Raises:
        ConfigError: the folder holds something or cannot be written to, or no table can be made for this model.
    """
    _check_card(card)
    images = _make_folders(folder)
    subjects, left_out = Subjects(), Counter[str]()
    for one in kept:
        vote = vote_of(one.answer.said, card.labels)
        if (one.box is not None) != (card.kind == "face"):
            left_out["about a whole image" if one.box is None else "about a face"] += 1
        elif vote is None:
            left_out["without a label of the model"] += 1
        else:
            subject = subjects.add(one.image_sha256, one.answer, vote)
            if len(subject.votes) == 1:
                _write_picture(one, card.crop, images / f"{subject.name}.png")
    done = Exported(len(list(subjects)), sum(len(subject.votes) for subject in subjects), left_out)
    _write_readme(folder / "README.md", card, done)
    _write_table(folder / TABLE, card, subjects)
    return done


def _check_card(card: ModelCard) -> None:
    if card.objective != "distribution":
        raise ConfigError(f"{card.name} is a {card.objective} model; feedback is exported for `distribution`")
    known = {label for labels in LABEL_SETS.values() for label in labels}
    unknown = [label for label in card.labels if canonical(label) not in known]
    if unknown:
        raise ConfigError(f"{card.name} has labels that are in no label set, so that no reader knows them: {unknown}")


def _make_folders(folder: Path) -> Path:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already; name a new or an empty folder")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    return folder / "images"


def _write_picture(one: Kept, crop: Crop, file: Path) -> None:
    pixels = decode(one.picture).pixels
    if one.box is not None:
        pixels = crop_face(pixels, one.box, crop, _size_of(one.box, crop))
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    file.write_bytes(data.getvalue())


def _size_of(box: Box, crop: Crop) -> Input:
    """So that no pixel of the crop is lost or made up."""
    width, height = (max(box[2:]),) * 2 if crop.square else box[2:]
    sides = (min(max(1, round(side * (1 + 2 * crop.margin))), _MOST_SIDE) for side in (height, width))
    return Input(height=next(sides), width=next(sides), channels=3)


def _write_readme(file: Path, card: ModelCard, done: Exported) -> None:
    text = _README.format(
        date=datetime.now(UTC).date().isoformat(),
        model=card.name,
        pictures=done.pictures,
        answers=done.answers,
        table=TABLE,
        what="faces, cut as that model wants them" if card.kind == "face" else "whole images",
    )
    file.write_text(text, encoding="utf-8")


def _write_table(file: Path, card: ModelCard, subjects: Subjects) -> None:
    with written_whole(file) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image", "split", *card.labels, "meta_answers"))
        for subject in subjects:
            shares = (f"{share:.6g}" for share in subject.opinion)
            writer.writerow((f"images/{subject.name}.png", subject.split, *shares, len(subject.votes)))
