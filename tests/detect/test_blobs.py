"""Blobs are found on a plain background of any colour, and on no other."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from emoji_packages import face
from emolens.detect.blobs import BlobDetector

PLACES = ((20, 30, 60), (150, 20, 90), (40, 130, 48), (180, 150, 40))


def composed(ground: str | tuple[int, int, int] = "white", scale: int = 1) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (300 * scale, 220 * scale), ground)
    for x, y, side in PLACES:
        one = face(smiles=True, side=side * scale)
        picture.paste(one, (x * scale, y * scale), one)
    return np.asarray(picture)


def found(pixels: NDArray[np.uint8]) -> list[list[int]]:
    return sorted(BlobDetector().detect(pixels).boxes.round().astype(int).tolist())


@pytest.mark.parametrize("ground", ["white", "black", (54, 57, 63), (200, 230, 255)])
@pytest.mark.parametrize("scale", [1, 4])
def test_each_emoji_gets_a_box_of_its_own(ground: str | tuple[int, int, int], scale: int) -> None:
    expected = sorted([x * scale, y * scale, side * scale, side * scale] for x, y, side in PLACES)
    np.testing.assert_allclose(found(composed(ground, scale)), expected, atol=2 * scale)


def test_discs_score_one_and_the_best_come_first() -> None:
    scores = BlobDetector().detect(composed()).scores
    assert scores.min() > 0.95
    assert (np.diff(scores) <= 0).all()


def test_a_part_that_nearly_touches_belongs_to_its_emoji() -> None:
    picture = Image.fromarray(composed())
    ImageDraw.Draw(picture).ellipse((14, 40, 17, 60), "blue")  # a tear, two pixels beside the first face
    assert [14, 30, 66, 60] in found(np.asarray(picture))


def test_specks_lines_and_outlines_of_large_things_are_none() -> None:
    picture = Image.new("RGB", (300, 220), "white")
    pen = ImageDraw.Draw(picture)
    pen.line((10, 200, 290, 200), "black", 3)
    pen.rectangle((20, 20, 160, 160), outline="black", width=3)
    for x in range(200, 280, 20):
        pen.ellipse((x, 40, x + 5, 45), "black")
    assert found(np.asarray(picture)) == []


def test_a_picture_without_a_plain_ground_holds_none() -> None:
    assert found(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (64, 64)])
def test_an_empty_picture_of_any_shape_holds_none(shape: tuple[int, int]) -> None:
    assert found(np.full((*shape, 3), 200, np.uint8)) == []


def test_one_long_winding_line_is_one_blob() -> None:
    pixels = np.full((512, 512, 3), 255, np.uint8)
    for x in range(8, 504, 12):
        pixels[8:504, x : x + 4] = 0
        pixels[slice(8, 12) if x // 12 % 2 else slice(500, 504), x : x + 16] = 0
    pixels[:8] = pixels[504:] = pixels[:, :8] = pixels[:, 504:] = 255
    assert len(found(pixels)) <= 1
