"""What holds for every detector, and what only our own and only YuNet do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from emolens.detect.base import Detections, Detector
from emolens.detect.boxes import iou
from emolens.detect.own import OwnDetector, decode
from emolens.detect.yunet import YunetDetector
from emolens.errors import ModelError
from emolens.zoo import find
from models import make_model_file

Make = Callable[..., Detector]
PHOTO = "dlib_2008_002506.jpg"


def of_one_size(source: Path, path: Path, side: int) -> Path:
    """The same graph, but its input has a fixed size, as OpenCV Zoo's file has."""
    model = onnx.load(source)
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, side, side), strict=True):
        dimension.dim_value = size
    onnx.save(model, path)
    return path


@pytest.fixture(params=["own", "yunet", "yunet of one size"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes the detector, with its own arguments."""
    if request.param == "own":
        return lambda **arguments: OwnDetector(find("detector"), **{"device": "cpu", "threads": 1, **arguments})
    file = request.getfixturevalue("shared_data") / "weights" / "yunet_s_dynamic.onnx"
    if request.param == "yunet of one size":
        file = of_one_size(file, tmp_path / "yunet.onnx", 640)
    return lambda **arguments: YunetDetector(file, **{"device": "cpu", "threads": 1, **arguments})


@pytest.fixture
def photo(shared_data: Path) -> np.ndarray:
    return np.asarray(Image.open(shared_data / "photos" / PHOTO).convert("RGB"))


@pytest.fixture
def truth(shared_data: Path) -> np.ndarray:
    boxes = json.loads((shared_data / "photos" / "boxes.json").read_text())
    return np.array(boxes[PHOTO]["faces"], dtype=np.float32)


def check_format(found: Detections, width: int, height: int) -> None:
    count = len(found)
    assert found.boxes.shape == (count, 4)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.scores.shape == (count,)
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert found.landmarks is not None
    assert found.landmarks.shape == (count, 5, 2)
    assert found.landmarks.dtype == np.float32
    assert (found.boxes[:, :2] >= 0).all()
    assert (found.boxes[:, 2:] > 0).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= np.array([width, height]) + 1e-3).all()


def test_faces_are_found_where_they_are_in_the_agreed_format(make: Make, photo: np.ndarray, truth: np.ndarray) -> None:
    found = make().detect(photo)
    check_format(found, photo.shape[1], photo.shape[0])
    assert (iou(truth, found.boxes).max(axis=1) >= 0.35).all()


def test_side_by_side_the_same_faces_are_found_in_one_thread_a_call(make: Make, photo: np.ndarray) -> None:
    one, all_cores = make(), make(threads=0)
    assert one.for_many().session is one.session  # type: ignore[attr-defined]
    many = all_cores.for_many()
    assert many.session.get_session_options().intra_op_num_threads == 1  # type: ignore[attr-defined]
    assert (many.name, many.size) == (all_cores.name, all_cores.size)
    np.testing.assert_allclose(many.detect(photo).boxes, all_cores.detect(photo).boxes, atol=0.01)


def test_what_becomes_of_the_file_meanwhile_does_not_matter(tmp_path: Path, photo: np.ndarray) -> None:
    file = tmp_path / "detector.onnx"
    shutil.copy(find("detector"), file)
    detector = OwnDetector(file, device="cpu")
    file.write_bytes(b"another")
    np.testing.assert_allclose(detector.for_many().detect(photo).boxes, detector.detect(photo).boxes, atol=0.01)


def test_landmarks_lie_in_their_box_eyes_over_mouth(make: Make, photo: np.ndarray) -> None:
    found = make().detect(photo)
    assert found.landmarks is not None
    x, y, w, h = found.boxes[0]
    right_eye, left_eye, nose, right_mouth, left_mouth = found.landmarks[0]
    assert x <= right_eye[0] < left_eye[0] <= x + w
    assert right_mouth[0] < left_mouth[0]
    assert y <= right_eye[1] < nose[1] < right_mouth[1] <= y + h


@pytest.mark.parametrize("size", [None, 1024, 256])
def test_boxes_are_in_pixels_of_the_input_at_any_size(
    make: Make, photo: np.ndarray, truth: np.ndarray, size: int | None
) -> None:
    large = np.asarray(Image.fromarray(photo).resize((photo.shape[1] * 2, photo.shape[0] * 2)))
    found = make(size=size).detect(large)
    assert (iou(2 * truth, found.boxes).max(axis=1) >= 0.35).all()


@pytest.mark.parametrize("side", [400, 1000, 1600])
def test_a_face_that_fills_the_picture_is_found_at_any_size(make: Make, side: int) -> None:
    data = pytest.importorskip("skimage.data", reason="the extra 'demo' brings the portrait")
    portrait = Image.fromarray(data.astronaut()[:320, 60:380])
    found = make(size=None).detect(np.asarray(portrait.resize((side, side), Image.Resampling.BICUBIC)))
    face = np.array([[118, 63, 93, 112]], dtype=np.float32) * side / 320
    assert iou(found.boxes[:1], face).max() > 0.5


def test_a_picture_without_a_face_gives_empty_detections(make: Make) -> None:
    found = make().detect(np.full((200, 300, 3), 128, dtype=np.uint8))
    check_format(found, 300, 200)
    assert len(found) == 0


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (2000, 1), (1, 700), (33, 65)])
def test_pictures_of_odd_sizes_are_searched(make: Make, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    check_format(make().detect(image), width, height)


def test_views_that_are_not_contiguous_are_searched(make: Make, photo: np.ndarray) -> None:
    mirrored = make().detect(photo[:, ::-1])
    assert len(mirrored) == len(make().detect(np.ascontiguousarray(photo[:, ::-1]))) > 0


def test_a_higher_threshold_leaves_fewer_and_the_same_ones(make: Make, photo: np.ndarray) -> None:
    some, few = make(score_threshold=0.2).detect(photo), make(score_threshold=0.7).detect(photo)
    assert len(few) <= len(some)
    assert few.scores.tolist() == some.scores[: len(few)].tolist()
    assert (few.scores >= 0.7).all()


def test_every_detector_says_its_name_and_size(make: Make) -> None:
    detector = make(size=512)
    assert detector.name in ("detector", "yunet")
    assert detector.size == 512


def test_a_cell_is_decoded_to_its_box_and_landmarks() -> None:
    maps = [np.full((15, 64 // stride, 96 // stride), -20, dtype=np.float32) for stride in (8, 16, 32)]
    maps[1][:, 2, 3] = [2, 0.5, -0.5, np.log(2), np.log(3), *range(10)]
    found = decode(maps, 0.5)
    centre = np.array([3.5 + 0.5, 2.5 - 0.5]) * 16
    assert found.scores == pytest.approx([1 / (1 + np.exp(-2))])
    assert found.boxes[0] == pytest.approx([centre[0] - 16, centre[1] - 24, 32, 48])
    assert found.landmarks is not None
    assert found.landmarks[0, 0] == pytest.approx([3.5 * 16, 3.5 * 16])


def test_a_threshold_of_zero_takes_every_cell_and_one_of_one_none() -> None:
    maps = [np.zeros((15, 64 // stride, 64 // stride), np.float32) for stride in (8, 16, 32)]
    assert len(decode(maps, 0.0)) > 0
    assert (decode(maps, 1.0).boxes.shape, decode(maps, 1.0).landmarks.shape) == ((0, 4), (0, 5, 2))


def test_maps_of_wild_values_give_finite_boxes() -> None:
    maps = [np.full((15, 2, 2), 1e4, dtype=np.float32) for _ in range(3)]
    found = decode(maps, 0.5)
    assert np.isfinite(found.boxes).all()
    assert np.isfinite(found.scores).all()


def test_the_cards_threshold_is_the_default() -> None:
    detector = OwnDetector(find("detector"))
    assert detector.score_threshold == detector.card.threshold
    assert detector.card.kind == "detector"
    assert detector.card.trained_on
    assert detector.card.limits


def test_the_embedded_file_is_small() -> None:
    assert find("detector").stat().st_size <= 700_000


def test_a_classifier_is_refused_as_a_detector(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "face.onnx")
    with pytest.raises(ModelError, match="kind 'face', not a detector"):
        OwnDetector(path)


def test_a_card_that_calls_another_graph_a_detector_is_refused(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "odd.onnx", kind="detector", objective="detection")
    with pytest.raises(ModelError, match="map_8, map_16, map_32"):
        OwnDetector(path)


def test_a_graph_that_is_not_yunets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not YuNet"):
        YunetDetector(make_model_file(tmp_path / "face.onnx"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file"):
        YunetDetector(tmp_path / "absent.onnx")
    with pytest.raises(ModelError, match="no model file"):
        OwnDetector(tmp_path / "absent.onnx")


def recall_of(detector: Detector, photos: Path, chosen: Callable[[str, dict], bool], smallest: float) -> float:
    hits = faces = 0
    for file, truth in json.loads((photos / "boxes.json").read_text()).items():
        boxes = np.array(truth["faces"], dtype=np.float32).reshape(-1, 4)
        boxes = boxes[np.sqrt(boxes[:, 2] * boxes[:, 3]) >= smallest]
        if chosen(file, truth) and len(boxes):
            found = detector.detect(np.asarray(Image.open(photos / file).convert("RGB")))
            hits += int((iou(boxes, found.boxes).max(axis=1, initial=0) >= 0.35).sum())
            faces += len(boxes)
    return hits / faces


def test_faces_that_people_marked_are_found(make: Make, shared_data: Path) -> None:
    def by_people(_: str, truth: dict) -> bool:
        return truth["truth"] == "human"

    assert recall_of(make(), shared_data / "photos", by_people, 0) >= 40 / 43
