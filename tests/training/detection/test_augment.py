"""Training crops made out of photographs."""

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from emolens.data.readers.faces import FacePhoto
from emolens.errors import DataError
from emolens.training.detection.augment import (
    Scene,
    SceneMaker,
    clip,
    cut_face,
    flip,
    ignore_small,
    overlay,
    rotate,
    window,
)
from emolens.training.detection.recipe import DetectionAugmentation
from face_photos import face_row


def drawn(seed: int, faces: int) -> Scene:
    row = face_row(seed, faces)
    boxes = np.array([[face[key] for key in "xywh"] for face in row["faces"]], dtype=np.float32).reshape(-1, 4)
    landmarks = np.array([face["landmarks"] for face in row["faces"]], dtype=np.float32).reshape(-1, 5, 2)
    return Scene.of(FacePhoto(row["image"], row["source"], "train", boxes, landmarks, np.zeros((0, 4), np.float32)))


def test_a_photograph_that_cannot_be_read_is_named() -> None:
    nothing = np.zeros((0, 4), np.float32)
    broken = FacePhoto(b"no image", "set:a.jpg", "train", nothing, np.zeros((0, 5, 2), np.float32), nothing)
    with pytest.raises(DataError, match=r"set:a\.jpg: .* is text"):
        Scene.of(broken)


def dot(x: float, y: float, size: int = 60) -> Scene:
    """A black picture with a white dot, a face around it, and all of the face's landmarks on it."""
    pixels = np.zeros((size, size, 3), dtype=np.uint8)
    pixels[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    box = np.array([[x + 0.5 - 8, y + 0.5 - 8, 16, 16]], dtype=np.float32)
    landmarks = np.full((1, 5, 2), [x + 0.5, y + 0.5], dtype=np.float32)
    return Scene(pixels, box, landmarks, np.zeros((0, 4), np.float32))


def brightest(scene: Scene) -> np.ndarray:
    y, x = np.nonzero(scene.pixels[..., 0] > 128)
    return np.array([x.mean() + 0.5, y.mean() + 0.5])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_every_crop_has_its_size_and_what_is_known_lies_in_it() -> None:
    settings = DetectionAugmentation(size=96)
    maker = SceneMaker([drawn(seed, seed % 3) for seed in range(9)], settings)
    generator = rng()
    seen = 0
    for index in range(60):
        crop = maker.make(index % 9, generator)
        assert crop.pixels.shape == (96, 96, 3)
        assert crop.pixels.dtype == np.uint8
        assert crop.boxes.dtype == crop.landmarks.dtype == crop.ignore.dtype == np.float32
        for boxes in (crop.boxes, crop.ignore):
            assert (boxes[:, :2] >= -1e-3).all()
            assert (boxes[:, :2] + boxes[:, 2:] <= 96 + 1e-3).all()
        assert (crop.boxes[:, 2] * crop.boxes[:, 3] >= settings.smallest**2 - 1e-3).all()
        assert len(crop.landmarks) == len(crop.boxes)
        seen += len(crop.boxes)
    assert seen > 60


def test_the_same_generator_makes_the_same_crop() -> None:
    maker = SceneMaker([drawn(seed, 2) for seed in range(4)], DetectionAugmentation(size=96))
    first, second = maker.make(0, rng()), maker.make(0, rng())
    assert (first.pixels == second.pixels).all()
    assert (first.boxes == second.boxes).all()


@pytest.mark.parametrize("degrees", [-20, 15, 90])
def test_turning_takes_boxes_and_landmarks_along(degrees: float) -> None:
    turned = rotate(dot(40, 20), degrees)
    assert turned.landmarks[0, 0] == pytest.approx(brightest(turned), abs=0.7)
    assert turned.boxes[0, :2] + turned.boxes[0, 2:] / 2 == pytest.approx(brightest(turned), abs=0.7)


def test_mirroring_swaps_left_and_right_eyes_and_mouth_corners() -> None:
    scene = drawn(0, 2)
    mirrored = flip(scene)
    assert (mirrored.landmarks[:, 0, 0] < mirrored.landmarks[:, 1, 0]).all()
    assert (mirrored.landmarks[:, 3, 0] < mirrored.landmarks[:, 4, 0]).all()
    assert mirrored.boxes[:, 0] == pytest.approx(96 - scene.boxes[:, 0] - scene.boxes[:, 2])
    again = flip(mirrored)
    assert again.landmarks == pytest.approx(scene.landmarks)
    assert (again.pixels == scene.pixels).all()


def test_a_window_shows_the_face_at_the_scale_asked_for() -> None:
    scene = dot(30, 30)
    seen = window(scene, 100, 90, 2.0, scene.boxes[0], rng())
    assert seen is not None
    assert seen.pixels.shape == (90, 100, 3)
    assert seen.boxes[0, 2:] == pytest.approx([32, 32], rel=0.01)
    assert seen.landmarks[0, 0] == pytest.approx(brightest(seen), abs=1)


def test_there_is_no_window_larger_than_the_picture() -> None:
    assert window(dot(30, 30), 100, 100, 1.0, None, rng()) is None


def test_a_picture_put_on_another_hides_the_faces_under_it() -> None:
    base, scene = dot(30, 30), dot(10, 10, 20)
    both = overlay(base, scene, 3.0, rng())
    assert len(both.boxes) == 1
    assert both.boxes[0, 2:] == pytest.approx([48, 48])


def test_a_pasted_face_spares_known_faces() -> None:
    base, small = dot(30, 30), dot(10, 10, 20)
    generator = rng()
    for _ in range(20):
        pasted = overlay(base, small, 0.8, generator, only_if_free=True)
        assert len(pasted.boxes) in (1, 2)
        assert (pasted.boxes[0] == base.boxes[0]).all()


def test_a_cut_out_face_keeps_its_place_in_the_cut_out() -> None:
    cut = cut_face(dot(30, 20), 0, 0.25)
    assert cut.pixels.shape[:2] == pytest.approx((24, 24), abs=2)
    assert cut.landmarks[0, 0] == pytest.approx(brightest(cut), abs=0.1)


def test_a_face_cut_off_by_more_than_half_is_ignored_not_background() -> None:
    scene = dot(30, 30)
    shifted = Scene(scene.pixels, scene.boxes + np.array([-32, 0, 0, 0], np.float32), scene.landmarks, scene.ignore)
    cut = clip(shifted)
    assert len(cut.boxes) == len(cut.landmarks) == 0
    assert cut.ignore[0] == pytest.approx([0, 22.5, 6.5, 16])


def test_faces_too_small_to_learn_from_are_ignored_not_background() -> None:
    small = ignore_small(dot(30, 30), 20)
    assert len(small.boxes) == len(small.landmarks) == 0
    assert len(small.ignore) == 1
