"""Occlusion (Zeiler and Fergus, 2014): cover a part of the crop and see how the answer changes, with any model."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emolens.card import ModelCard
from emolens.errors import ConfigError
from emolens.labels import did_you_mean

# A window of a sixth of the crop covers an eye or a mouth; it moves by an eighteenth, in and out over the edges, so
# that every cell is covered as often. That is 400 crops in batches of 20, whatever the size.
_CELLS, _WINDOW = 18, 3


class Answering(Protocol):
    """Gives probabilities for crops, as an `OnnxModel` does."""

    @property
    def card(self) -> ModelCard: ...

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(N, H, W, C)` uint8 to `(N, L)` float32."""


def explain(model: Answering, crop: NDArray[np.uint8], label: str | None = None) -> NDArray[np.float32]:
    """How much less probable a label becomes where the crop is covered.

    What is covered is blurred until no feature is left, not filled with grey as in the paper: a grey square is unlike
    anything in a photograph, and its edges are features themselves. Brightness and shading stay, so that an answer
    which rests on those alone shows in no place.

    Args:
        model: asked about 401 crops.
        crop: `(H, W, C)` uint8, at the size of the model's card.
        label: the one to explain; the likeliest by default.

    Returns:
        `(H, W)` float32, by how much the probability falls, in -1 to 1: the mean over the windows that cover a pixel.
        Positive where the label rests on what is there, negative where that speaks against it.

    Raises:
        ConfigError: the model has no such label.
    """
    height, width = crop.shape[:2]
    blurred = _blurred(crop)
    whole = model.probabilities(crop[None])[0]
    column = int(whole.argmax()) if label is None else label_index(model.card, label)
    falls = []
    for top, bottom in _windows(height):
        covered = [crop.copy() for _ in _windows(width)]
        for one, (left, right) in zip(covered, _windows(width), strict=True):
            one[top:bottom, left:right] = blurred[top:bottom, left:right]
        falls.append(whole[column] - model.probabilities(np.stack(covered))[:, column])
    cells = np.lib.stride_tricks.sliding_window_view(np.stack(falls), (_WINDOW, _WINDOW)).mean(axis=(2, 3))
    return stretched(cells, height, width)


def label_index(card: ModelCard, label: str) -> int:
    """Where a label stands in the model's answer.

    Raises:
        ConfigError: the model has no such label.
    """
    if label not in card.labels:
        raise ConfigError(f"'{label}' is no label of {card.name}{did_you_mean(label, card.labels)}")
    return card.labels.index(label)


def stretched(cells: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """A coarse `(h, w)` map over a crop, linear between the middles of its cells: `(height, width)` float32."""
    coarse = Image.fromarray(cells.astype(np.float32))
    return np.array(coarse.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _windows(side: int) -> Iterator[tuple[int, int]]:
    """First pixel of each window, and the one after its last."""
    edges = np.linspace(0, side, _CELLS + 1).round().astype(int)
    for first in range(1 - _WINDOW, _CELLS):
        yield edges[max(first, 0)], edges[min(first + _WINDOW, _CELLS)]


def _blurred(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = crop.shape[:2]
    radius = width * _WINDOW / _CELLS, height * _WINDOW / _CELLS
    image = Image.fromarray(crop.squeeze(-1) if crop.shape[-1] == 1 else crop)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))).reshape(crop.shape)
