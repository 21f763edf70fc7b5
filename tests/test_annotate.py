"""Pictures with what was found drawn on them."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.annotate import draw
from emolens.image import Photo
from emolens.results import Box, Face, Prediction, Reactions

GREY = 128
HAPPY = {"happy": 0.8, "sad": 0.15, "neutral": 0.05}


def photo(width: int, height: int, scale: int = 1) -> Photo:
    return Photo(np.full((height // scale, width // scale, 3), GREY, np.uint8), width, height)


def prediction(photo: Photo, boxes: Sequence[Box], probabilities: dict[str, float] = HAPPY) -> Prediction:
    faces = tuple(Face(box, 0.9, probabilities, ("happy",)) for box in boxes)
    return Prediction("a.jpg", "tiny", photo.width, photo.height, probabilities, ("happy",), faces, Reactions())


def drawn(photo: Photo, *boxes: Box) -> np.ndarray:
    return np.asarray(draw(photo, prediction(photo, boxes)))


def changed(pixels: np.ndarray, left: int, top: int, right: int, bottom: int) -> bool:
    return bool((pixels[top:bottom, left:right] != GREY).any())


def test_a_frame_in_the_colour_of_the_emotion_surrounds_the_face_and_leaves_it_visible() -> None:
    pixels = drawn(photo(1000, 800), (400, 300, 200, 200))
    red, green, blue = pixels[400, 402].tolist()
    assert red > 200 > blue
    assert green > blue
    assert not changed(pixels, 420, 320, 580, 480)


def test_what_is_said_stands_beside_the_face() -> None:
    pixels = drawn(photo(1000, 800), (400, 300, 200, 200))
    assert changed(pixels, 615, 300, 800, 400)


def test_what_is_said_of_one_face_covers_no_other() -> None:
    boxes = [(300.0 + 110 * column, 300.0 + 130 * row, 100.0, 120.0) for row in range(2) for column in range(3)]
    pixels = drawn(photo(1000, 800), *boxes)
    for x, y, w, h in boxes:
        assert not changed(pixels, int(x) + 12, int(y) + 12, int(x + w) - 12, int(y + h) - 12)


def test_a_small_photograph_is_enlarged_until_text_can_be_read() -> None:
    pixels = drawn(photo(100, 80), (20, 10, 40, 50))
    assert pixels.shape == (560, 700, 3)
    assert not changed(pixels, 160, 90, 400, 400)


def test_boxes_fit_a_photograph_that_was_decoded_smaller() -> None:
    pixels = drawn(photo(4000, 3200, scale=4), (1600, 1200, 800, 800))
    assert pixels.shape == (800, 1000, 3)
    assert not changed(pixels, 420, 320, 580, 480)
    assert changed(pixels, 398, 400, 406, 401)


def test_without_faces_the_corner_says_what_there_is_to_say() -> None:
    empty = photo(1000, 800)
    for probabilities in (HAPPY, dict.fromkeys(HAPPY, 0.0)):
        pixels = np.asarray(draw(empty, prediction(empty, [], probabilities)))
        assert changed(pixels, 0, 600, 500, 800)
        assert not changed(pixels, 0, 0, 1000, 600)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    parts=st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=12),
)
def test_any_picture_with_any_boxes_can_be_drawn(
    width: int, height: int, parts: list[tuple[float, float, float, float]]
) -> None:
    boxes = [(x * width, y * height, w * width * (1 - x), h * height * (1 - y)) for x, y, w, h in parts]
    small = photo(width, height)
    picture = draw(small, prediction(small, boxes))
    assert max(picture.size) >= 640
