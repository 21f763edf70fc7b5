"""The picture shows the map in its colours, whatever a card calls its labels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emolens.card import Input, ModelCard
from emolens.evaluation.explain.picture import draw_gradcam, draw_occlusion

ANSWER = np.array([0.7, 0.3], np.float32)
CROP = np.full((40, 40, 1), 128, np.uint8)


def card(label: str = "happy", **fields: str) -> ModelCard:
    size = Input(height=40, width=40, channels=1)
    what = {"name": "net", "version": "1", **fields}
    return ModelCard(kind="face", labels=(label, "sad"), objective="distribution", input=size, **what)


def heat() -> NDArray[np.float32]:
    """For it above, against it below, nothing between."""
    values = np.zeros((40, 40), np.float32)
    values[:8], values[-8:] = 0.2, -0.1
    return values


def colours(picture: Image.Image) -> tuple[NDArray[np.int64], ...]:
    """Red over blue of the right panel's upper, middle and lower row."""
    pixels = np.asarray(picture).astype(int)
    column = pixels[:, picture.width * 3 // 4]
    grey_panel = np.flatnonzero((pixels[:, picture.width // 4] == 128).all(axis=1))
    top, bottom = grey_panel[0], grey_panel[-1]
    redness = column[:, 0] - column[:, 2]
    return redness[top + 10], redness[(top + bottom) // 2], redness[bottom - 10]


def test_orange_is_for_the_label_blue_against_it_and_grey_neither() -> None:
    above, between, below = colours(draw_occlusion(card(), ANSWER, CROP, heat()))
    assert above > 100
    assert between == 0
    assert -100 < below < -30  # half as strong, so half as blue


def test_a_map_of_nothing_colours_nothing() -> None:
    assert colours(draw_occlusion(card(), ANSWER, CROP, 0 * heat())) == (0, 0, 0)


def test_grad_cam_has_no_blue() -> None:
    above, between, below = colours(draw_gradcam(card(), ANSWER, CROP, heat().clip(0)))
    assert above > 100
    assert (between, below) == (0, 0)


@pytest.mark.parametrize("label", ["", "a\nb\x1b[31m", "幸せ", "w" * 100_000, "\u202eabc"])
def test_a_label_of_any_kind_fits(label: str) -> None:
    plain = draw_occlusion(card(), ANSWER, CROP, heat())
    drawn = draw_occlusion(card(label, version=label), ANSWER, CROP, heat())
    assert drawn.size == plain.size
    assert drawn.tobytes() != plain.tobytes()


def test_colour_crops_that_are_not_square_are_drawn_as_they_are() -> None:
    wide = np.zeros((20, 40, 3), np.uint8)
    tall = draw_occlusion(card(), ANSWER, wide.transpose(1, 0, 2), np.ones((40, 20), np.float32))
    assert draw_occlusion(card(), ANSWER, wide, np.ones((20, 40), np.float32)).height < tall.height
