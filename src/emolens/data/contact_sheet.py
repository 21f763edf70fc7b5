"""A picture with a row of pictures for each label, to see at one look what a dataset holds."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.describe import labelled
from emolens.data.samples import Dataset
from emolens.errors import DataError

_COLUMNS, _SIDE, _GAP = 12, 96, 4
_TITLE = 150
_TEXT = 15
_MOST_ROWS = 200

_PAPER, _INK = "white", "black"


def draw_contact_sheet(dataset: Dataset) -> Image.Image:
    """Samples from all over the dataset in the row of each of their labels, cut as a training cuts them.

    Raises:
        DataError: there are too many labels for one picture.
    """
    if len(dataset.labels) > _MOST_ROWS:
        raise DataError(f"{dataset.name} has {len(dataset.labels)} labels; a contact sheet has room for {_MOST_ROWS}")
    pitch = _SIDE + _GAP
    sheet = Image.new("RGB", (_TITLE + _COLUMNS * pitch, len(dataset.labels) * pitch + _GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    for row, (label, has) in enumerate(zip(dataset.labels, labelled(dataset).T, strict=True)):
        top, members = _GAP + row * pitch, np.flatnonzero(has)
        pen.text((_GAP, top + _SIDE // 2), f"{label}\n{len(members):,}", _INK, font, anchor="lm")
        shown = np.unique(np.linspace(0, len(members), _COLUMNS, endpoint=False, dtype=int)) if len(members) else ()
        chosen = [dataset.samples[members[place]] for place in shown]
        crops, _ = cut_crops(chosen, Input(height=_SIDE, width=_SIDE, channels=3), Crop())
        for column, crop in enumerate(crops):
            sheet.paste(Image.fromarray(crop), (_TITLE + column * pitch, top))
    return sheet
