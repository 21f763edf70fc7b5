"""Emotion6 (Peng et al., 2015): photographs with the emotions that they evoke, as distributions.

Layout: a folder with `ground_truth.txt` (tab-separated: file name, valence, arousal, seven probabilities) and the
pictures as `images/anger/1.jpg`, or `anger/1.jpg`. It brings no splits; they are drawn.
"""

from pathlib import Path

from emolens.data.readers.gathering import UNDRAWN, Gathering, Wanted, image_in
from emolens.data.readers.tables import read_table
from emolens.data.readers.targets import distribution
from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.labels import LABEL_SETS

_EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""In the order of `fer7`, whose labels these seven are."""


def read(path: Path, wanted: Wanted) -> Dataset:
    """Reads Emotion6 over `fer7`; projecting to `emotion6` shares neutral out."""
    table = path / "ground_truth.txt"
    if not table.is_file():
        raise DataError(f"{path} holds no ground_truth.txt; give the folder of Emotion6")
    gathering = Gathering("emotion6", LABEL_SETS["fer7"], wanted)
    columns = [f"[prob. {emotion}]" for emotion in _EMOTIONS]
    for number, row in read_table(table, gathering, ("[image_filename]", *columns), "\t"):
        with gathering.row(f"{table.name}:{number}"):
            target = distribution([row[column] for column in columns])
            name = row["[image_filename]"]
            gathering.add(Sample(name, image_in(path, f"images/{name}", name), target, UNDRAWN))
    return gathering.dataset()
