"""The step `landmarks`: MediaPipe's points of a face, wherever it lies in the crop and however large it is."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import pytest

from emolens.card import Crop, Features, Input
from emolens.errors import ConfigError, MissingExtraError, ModelError
from emolens.features import open_step
from emolens.features.landmarks import POINTS, Landmarks, LandmarksParameters
from emolens.image import crop_face, decode
from emolens.runtime import OnnxModel
from emolens.session import file_hash
from feature_models import make_feature_model

GREY = Input(height=48, width=48, channels=1)
COLOUR = Input(height=160, width=160, channels=3)

# MediaPipe's numbers of the nose's tip, of the outer corners of the eyes (right, left), and of the chin.
NOSE, EYES, CHIN = 1, (33, 263), 152


@pytest.fixture(scope="module")
def step(bundle: Path) -> Landmarks:
    return Landmarks(LandmarksParameters(), GREY, bundle)


@pytest.fixture(scope="module")
def face(shared_data: Path):
    """Cuts one photograph's face at any size."""
    folder, name = shared_data / "photos", "human_person-vlado.jpg"
    [box] = json.loads((folder / "boxes.json").read_text())[name]["faces"]
    pixels = decode(folder / name).pixels
    return lambda size: crop_face(pixels, tuple(box), Crop(), size)


def points(step: Landmarks, crop: np.ndarray) -> np.ndarray:
    return step(crop[None])[0].reshape(POINTS, 3)


def test_the_points_of_a_small_grey_face_stand_where_a_face_has_them(step, face):
    found = points(step, face(GREY))
    right, left = found[list(EYES)]
    assert right[0] < found[NOSE, 0] < left[0]
    assert max(right[1], left[1]) < found[NOSE, 1] < found[CHIN, 1]
    assert found[NOSE, 2] < min(right[2], left[2], found[CHIN, 2])  # nearer


def test_place_and_size_of_the_face_do_not_matter(step, face):
    large = face(COLOUR)
    within = np.zeros((400, 300, 3), np.uint8)
    within[190:350, 70:230] = large
    expected = points(step, large)
    assert np.abs(expected.mean(axis=0)).max() < 1e-6
    assert (expected**2).sum(axis=1).mean() == pytest.approx(1)
    for other in (within, face(GREY)):
        assert np.abs(points(step, other) - expected).mean() < 0.03


def test_where_no_face_is_found_the_row_is_not_a_number_and_the_others_are_found(step, face):
    crops = np.stack([face(GREY), np.zeros((48, 48, 1), np.uint8), face(GREY)])
    found = step(crops)
    assert (found.shape, found.dtype) == ((3, step.size), np.float32)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(found[0], found[2])
    assert step(crops[:0]).shape == (0, step.size)


def test_threads_that_share_a_step_find_the_same_points_and_take_turns(bundle, face, monkeypatch):
    step = Landmarks(LandmarksParameters(), GREY, bundle)
    crops = [face(GREY), np.zeros((48, 48, 1), np.uint8), np.roll(face(GREY), 3, axis=1)]
    alone = [step(crop[None]) for crop in crops]
    detect, busy = step._landmarker.detect, Lock()

    def alone_in_here(picture):
        assert busy.acquire(blocking=False), "two threads are in it"
        try:
            time.sleep(0.005)
            return detect(picture)
        finally:
            busy.release()

    monkeypatch.setattr(step._landmarker, "detect", alone_in_here)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(step, [crop[None] for crop in crops * 8]))
    for found, expected in zip(together, alone * 8, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_model_file_runs_on_landmarks_of_the_very_bundle_that_its_card_names(bundle, face, tmp_path, monkeypatch):
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    features = {"step": "landmarks", "model": "mediapipe-face-landmarker", "sha256": file_hash(bundle), "side": 160}
    path = make_feature_model(tmp_path / "model.onnx", features, Landmarks.size)
    with pytest.raises(ModelError, match="`emolens models pull mediapipe-face-landmarker`"):
        OnnxModel(path, "cpu")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "mediapipe-face-landmarker.task").write_bytes(bundle.read_bytes())
    probabilities = OnnxModel(path, "cpu").probabilities(np.stack([face(GREY), np.zeros((48, 48, 1), np.uint8)]))
    assert np.ptp(probabilities[0]) > 0.1
    assert np.ptp(probabilities[1]) == 0


def test_a_model_file_that_needs_mediapipe_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python", None)
    (tmp_path / "points.task").write_bytes(b"points")
    features = {"step": "landmarks", "model": "points.task", "sha256": file_hash(tmp_path / "points.task")}
    path = make_feature_model(tmp_path / "model.onnx", features, Landmarks.size)
    with pytest.raises(MissingExtraError, match=r"pip install 'emolens\[landmarks\]'"):
        OnnxModel(path, "cpu")


@pytest.mark.usefixtures("bundle")
def test_a_file_that_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "points.task").write_bytes(b"PK\3\4 points")
    for path, said in ((tmp_path / "points.task", "is no bundle"), (tmp_path / "none.task", "no landmarks' model at")):
        with pytest.raises(ModelError, match=said):
            Landmarks(LandmarksParameters(), GREY, path)


def test_a_missing_system_library_is_named(bundle, monkeypatch):
    def load(*_: object) -> None:
        raise OSError("libEGL.so.1: cannot open shared object file")

    from mediapipe.tasks.python.vision import FaceLandmarker

    monkeypatch.setattr(FaceLandmarker, "create_from_options", load)
    with pytest.raises(ConfigError, match=r"libEGL\.so\.1.*apt-get install libegl1 libgles2"):
        Landmarks(LandmarksParameters(), GREY, bundle)


def test_a_parameter_that_the_step_does_not_know_is_refused(bundle):
    features = Features.model_validate(
        {"step": "landmarks", "model": bundle.name, "sha256": file_hash(bundle), "paddding": 1}
    )
    with pytest.raises(ModelError, match=r"features\.paddding"):
        open_step(features, GREY, bundle)


def test_mediapipe_writes_nothing_to_the_standard_error(bundle):
    code = f"""
from pathlib import Path
import numpy as np
from emolens.card import Input
from emolens.features.landmarks import Landmarks, LandmarksParameters
step = Landmarks(LandmarksParameters(), Input(height=48, width=48, channels=1), Path({str(bundle)!r}))
step(np.zeros((1, 48, 48, 1), np.uint8))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
