"""Small datasets for tests, each in the layout that its users have; the pictures are noise."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from emolens.card import Crop, Input
from emolens.data.prepare import Preparation
from fer_tables import VOTES, fer_row, write_fer_table

FER_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
EMOTION6_HEADER = (
    "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]\t[prob. joy]\t[prob. sadness]"
    "\t[prob. surprise]\t[prob. neutral]"
)
AFFECTNET_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)

FER_ROWS = (
    fer_row(0, "happy", "Training"),
    fer_row(1, "sad", "Training", sadness=6, happiness=3, NF=1),
    fer_row(2, "angry", "PublicTest", anger=5, contempt=3, unknown=2),
    fer_row(3, "fear", "PrivateTest", fear=10),
)


def jpeg(seed: int) -> bytes:
    """A picture of noise, 40 x 30."""
    file = BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def pixels(png: bytes) -> str:
    return " ".join(map(str, np.asarray(Image.open(BytesIO(png))).ravel().tolist()))


def write_fer_csv(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """FER2013 as Kaggle's table; a row without a picture is black."""
    content = (
        f"{FER_LABELS.index(row['label'] or 'neutral')},{pixels(row['png']) if row['png'] else ' '.join(['0'] * 2304)}"
        f",{row['usage']}"
        for row in rows
    )
    return write(path, lines("emotion,pixels,Usage", *content))


def write_icml_csv(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """The other table of the same content, with blanks before the names of its columns."""
    content = (f"{FER_LABELS.index(row['label'])},{row['usage']},{pixels(row['png'])}" for row in rows)
    return write(path, lines("emotion, Usage, pixels", *content))


def write_fer_folders(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """FER2013 as Kaggle's folders; rows without a picture have no file."""
    for row in rows:
        if row["png"]:
            part = "train" if row["usage"] == "Training" else "test"
            write(folder / part / row["label"] / f"{row['usage']}_{row['row'] + 10_000}.jpg", row["png"])
    return folder


def write_votes(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """FER+'s votes."""
    content = (
        ",".join([row["usage"], row.get("name", f"fer{row['row']:07}.png") or "", *(str(row[vote]) for vote in VOTES)])
        for row in rows
    )
    return write(folder / "fer2013new.csv", lines(",".join(["Usage", "Image name", *VOTES]), *content)).parent


def write_ferplus_folders(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """FER+'s votes and pictures; of two rows with one name the later one's picture is kept."""
    rows = list(rows)
    for row in rows:
        name = row.get("name", f"fer{row['row']:07}.png")
        if name and row["png"]:
            write(folder / FERPLUS_FOLDERS[row["usage"]] / name, row["png"])
    return write_votes(folder, rows)


def write_affectnet(folder: Path) -> Path:
    rows = ["1/a.jpg,2,3,20,25,1;2,0,0.1,0.2", "2/b.jpg,0,0,30,30,1;2,7,-0.5,0.2"]
    write(folder / "Manually_Annotated_file_lists/training.csv", lines(AFFECTNET_HEADER, *rows))
    write(folder / "Manually_Annotated_file_lists/validation.csv", lines(AFFECTNET_HEADER, "3/c.jpg,1,1,9,9,1;2,6,0,0"))
    for index, name in enumerate(("1/a.jpg", "2/b.jpg", "3/c.jpg")):
        write(folder / "Manually_Annotated_Images" / name, jpeg(index))
    return folder


def write_affectnet_npy(folder: Path) -> Path:
    for split, name, code in (("train_set", "12", "1"), ("train_set", "7", "3"), ("val_set", "12", "7")):
        write(folder / split / f"images/{name}.jpg", jpeg(int(code)))
        (folder / split / "annotations").mkdir(exist_ok=True)
        np.save(folder / split / f"annotations/{name}_exp.npy", np.array(code))
    return folder


def write_rafdb(folder: Path) -> Path:
    names = {"train_00001": "5", "train_00002": "1", "test_0001": "7"}
    write(folder / "EmoLabel/list_patition_label.txt", lines(*(f"{name}.jpg {code}" for name, code in names.items())))
    for index, name in enumerate(names):
        write(folder / f"Image/aligned/{name}_aligned.jpg", jpeg(index))
    return folder


def write_fi_folders(folder: Path) -> Path:
    return write_folders(folder, ("amusement", "awe", "sadness"))


def write_fi_annotations(folder: Path, suffix: str = ".txt") -> Path:
    emotions = {"train": "amusement", "val": "anger", "test": "contentment"}
    for index, (split, emotion) in enumerate(emotions.items()):
        place = "flickr" if index else "instagram"
        write(folder / f"images/{place}/{index}.jpg", jpeg(index))
        row = f"{index}.jpg {emotion}" if suffix == ".txt" else f"image_name,emotion\n{index}.jpg,{emotion}"
        write(folder / f"annotations/{split}{suffix}", f"{row}\n")
    return folder


def write_fi_csv(folder: Path) -> Path:
    return write_fi_annotations(folder, ".csv")


def write_fi_votes(folder: Path) -> Path:
    for index in range(10):
        write(folder / f"images/flickr/{index}.jpg", jpeg(index))
    rows = (f"awe,http://farm.example/{index}.jpg?zz=1,1,4" for index in range(10))
    write(folder / "votes.csv", lines("emotion,url,disagree,agree", *rows))
    return folder


def write_emoset(folder: Path) -> Path:
    for split in ("train", "val", "test"):
        name = f"awe_{split}"
        write(folder / f"image/awe/{name}.jpg", jpeg(len(split)))
        entry = ["awe", name, f"image/awe/{name}.jpg", f"annotation/awe/{name}.json"]
        write(folder / f"{split}.json", json.dumps([entry]))
    return folder


def write_emotion6(folder: Path) -> Path:
    names = [f"{emotion}/{index}.jpg" for emotion in ("anger", "joy") for index in range(10)]
    for index, name in enumerate(names):
        write(folder / "images" / name, jpeg(index))
    rows = (f"{name}\t2.5\t3.8\t0.133333\t0.7\t0\t0.0666667\t0.1\t0\t0" for name in names)
    write(folder / "ground_truth.txt", lines(EMOTION6_HEADER, *rows))
    return folder


def write_folders(folder: Path, names: Iterable[str] = ("Happiness", "sad", "neutral"), each: int = 10) -> Path:
    """A folder for each name, with pictures that are all different."""
    for index, name in enumerate(names):
        for number in range(each):
            write(folder / name / f"{number}.jpg", jpeg(1000 * index + number))
    return folder


def write_split_folders(folder: Path) -> Path:
    for number, split in enumerate(("train", "val", "test")):
        for index, name in enumerate(("joy", "Sadness")):
            write(folder / split / name / "0.jpg", jpeg(10 * number + index))
    return folder


def write_csv(folder: Path, *rows: str) -> Path:
    """A table with these rows, and the pictures `0.jpg` to `9.jpg` beside it."""
    for index in range(10):
        write(folder / f"{index}.jpg", jpeg(index))
    return write(folder / "labels.csv", lines(*rows))


def write_csv_labels(folder: Path) -> Path:
    return write_csv(folder, "image,emotion,split", "0.jpg,Joy,train", "1.jpg,sad,train", "2.jpg,sad,test")


def write_csv_probabilities(folder: Path) -> Path:
    return write_csv(folder, "image,happy,sad,split", "0.jpg,0.25,0.75,train", "1.jpg,1,0,test")


def write_csv_multilabel(folder: Path) -> Path:
    return write_csv(folder, "image,happy,sad,split", "0.jpg,1,1,train", "1.jpg,1,0,test", "2.jpg,0,0,test")


def write_prepared(folder: Path) -> Path:
    """Crops of a table, made by our own code: nobody else writes this layout."""
    source, size = write_csv_probabilities(folder / "source"), Input(height=8, width=8, channels=3)
    for _ in Preparation.begin("csv", source, size, Crop(), folder / "prepared").write():
        pass
    return folder / "prepared"


@dataclass(frozen=True)
class Layout:
    """One way in which a dataset is distributed.

    Attributes:
        reader: its name.
        write: makes it in a folder, and returns what the user gives as `--data`.
        splits: those that it has.
        pictures: `listed` in a table, `found` in folders, or `inside` of the table.
    """

    reader: str
    write: Callable[[Path], Path]
    splits: tuple[str, ...] = ("train", "val", "test")
    pictures: Literal["listed", "found", "inside"] = "listed"

    def __str__(self) -> str:
        return self.write.__name__.removeprefix("write_")


def fer_parquet(folder: Path) -> Path:
    return write_fer_table(folder / "fer.parquet", list(FER_ROWS))


def fer_csv(folder: Path) -> Path:
    return write_fer_csv(folder / "fer2013.csv", FER_ROWS)


def icml_csv(folder: Path) -> Path:
    return write_icml_csv(folder / "icml_face_data.csv", FER_ROWS).parent


def fer_folders(folder: Path) -> Path:
    return write_fer_folders(folder, FER_ROWS)


def ferplus_folders(folder: Path) -> Path:
    return write_ferplus_folders(folder, FER_ROWS)


def ferplus_joined(folder: Path) -> Path:
    write_fer_csv(folder / "fer2013.csv", FER_ROWS)
    return write_votes(folder, FER_ROWS)


_USAGES = ("Training", "PublicTest", "PrivateTest")

LAYOUTS = (
    Layout("fer2013", fer_parquet, _USAGES, "inside"),
    Layout("fer2013", fer_csv, _USAGES, "inside"),
    Layout("fer2013", icml_csv, _USAGES, "inside"),
    Layout("fer2013", fer_folders, _USAGES, "found"),
    Layout("ferplus", fer_parquet, _USAGES, "inside"),
    Layout("ferplus", ferplus_folders, _USAGES),
    Layout("ferplus", ferplus_joined, _USAGES, "inside"),
    Layout("affectnet", write_affectnet, ("training", "validation")),
    Layout("affectnet", write_affectnet_npy, ("train_set", "val_set")),
    Layout("rafdb", write_rafdb, ("train", "test")),
    Layout("fi", write_fi_folders, pictures="found"),
    Layout("fi", write_fi_annotations),
    Layout("fi", write_fi_csv),
    Layout("fi", write_fi_votes),
    Layout("emoset", write_emoset),
    Layout("emotion6", write_emotion6),
    Layout("imagefolder", write_folders, pictures="found"),
    Layout("imagefolder", write_split_folders, pictures="found"),
    Layout("csv", write_csv_labels, ("train", "test")),
    Layout("csv", write_csv_probabilities, ("train", "test")),
    Layout("csv", write_csv_multilabel, ("train", "test")),
    Layout("prepared", write_prepared, ("train", "test"), "inside"),
)
