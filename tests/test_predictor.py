"""The first flow end to end: images in, predictions and failures out."""

import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import emolens
from detectors import MagentaPatches, Told
from emoji_packages import face
from emolens.detect.base import Detections
from emolens.errors import ConfigError, ImageError, ModelError
from emolens.policy import Policy
from emolens.predictor import Predictor, load, open_detector
from emolens.results import Failure, Prediction
from emolens.runtime import OnnxModel
from models import make_model_file

LABELS = ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx"))


@pytest.fixture(scope="module")
def social() -> Policy:
    return Policy.load("social")


@pytest.fixture
def predictor(model: OnnxModel, social: Policy) -> Predictor:
    return Predictor(model, MagentaPatches(), social)


def picture(*faces: tuple[int, int, int, int], size: tuple[int, int] = (200, 120)) -> NDArray[np.uint8]:
    """Noise with magenta faces, each `(x, y, w, h)`."""
    pixels = np.random.default_rng(1).integers(0, 200, (size[1], size[0], 3), dtype=np.uint8)
    for x, y, w, h in faces:
        pixels[y : y + h, x : x + w] = (255, 0, 255)
    return pixels


def test_the_package_offers_load_and_the_predictor() -> None:
    assert emolens.load is load
    assert emolens.Predictor is Predictor


def test_every_face_gets_its_box_and_probabilities_that_sum_to_one(predictor: Predictor) -> None:
    prediction = predictor.predict(picture((10, 20, 40, 50), (100, 10, 60, 80)))
    assert [face.box for face in prediction.faces] == [(100, 10, 60, 80), (10, 20, 40, 50)]
    for one in (prediction, *prediction.faces):
        assert tuple(one.probabilities) == LABELS
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert (prediction.width, prediction.height, prediction.model) == (200, 120, "tiny")


def test_a_look_keeps_little_of_an_image(predictor: Predictor) -> None:
    look = predictor.look(picture((10, 20, 40, 50), (100, 10, 60, 80)))
    assert (look.boxes.dtype, look.boxes.shape) == (np.float32, (2, 4))
    assert (look.scores.dtype, look.scores.shape) == (np.float32, (2,))
    assert [(crops.dtype, crops.shape) for crops in look.framed] == [(np.uint8, (2, 48, 48, 1))]


def test_the_steps_are_timed_and_the_total_is_their_sum(predictor: Predictor) -> None:
    spent = predictor.predict(picture((10, 20, 40, 50))).milliseconds
    assert list(spent) == ["decode", "detect", "classify", "total"]
    assert spent["total"] == pytest.approx(spent["decode"] + spent["detect"] + spent["classify"])
    assert min(spent.values()) > 0


def test_boxes_are_in_pixels_of_the_stored_image_when_a_smaller_one_was_searched(
    model: OnnxModel, social: Policy
) -> None:
    large = picture((400, 200, 320, 480), size=(2000, 1200))
    (face,) = Predictor(model, MagentaPatches(size=500), social).predict(large).faces
    assert face.box == pytest.approx((400, 200, 320, 480), abs=8)


def test_boxes_of_a_photograph_on_its_side_are_those_of_the_upright_one(predictor: Predictor, tmp_path: Path) -> None:
    upright = Image.fromarray(picture((10, 20, 40, 50)))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned right by a quarter
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.png", exif=exif)
    prediction = predictor.predict(tmp_path / "side.png")
    assert (prediction.width, prediction.height) == (200, 120)
    assert prediction.faces[0].box == (10, 20, 40, 50)


def test_boxes_end_where_the_image_ends_and_those_outside_are_dropped(model: OnnxModel, social: Policy) -> None:
    told = Told([(-20, -10, 60, 50), (180, 100, 60, 60), (300, 10, 20, 20)], [0.9, 0.8, 0.7])
    prediction = Predictor(model, told, social).predict(picture())
    assert [face.box for face in prediction.faces] == [(0, 0, 40, 40), (180, 100, 20, 20)]
    assert [face.score for face in prediction.faces] == pytest.approx([0.9, 0.8])


def test_the_image_speaks_for_its_faces_by_area_and_score(model: OnnxModel, social: Policy) -> None:
    told = Told([(0, 0, 40, 40), (100, 0, 80, 40)], [1.0, 0.25])
    prediction = Predictor(model, told, social).predict(picture())
    wide, square = prediction.faces
    for label in LABELS:
        expected = (800 * wide.probabilities[label] + 1600 * square.probabilities[label]) / 2400
        assert prediction.probabilities[label] == pytest.approx(expected, abs=1e-6)


def test_no_face_is_an_answer(predictor: Predictor, social: Policy) -> None:
    prediction = predictor.predict(picture())
    assert prediction.faces == ()
    assert prediction.dominant is None
    assert prediction.emotions == ()
    assert prediction.reactions == social.decide_no_face()
    assert set(prediction.probabilities.values()) == {0.0}


def test_without_a_detector_the_whole_image_is_classified(model: OnnxModel, social: Policy) -> None:
    image = picture(size=(48, 48))
    predictor = Predictor(model, None, social)
    prediction = predictor.predict(image)
    assert prediction.faces == ()
    expected = predictor.classify([image])[0]
    assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-6)


def test_emotions_and_reactions_follow_the_policy(social: Policy, tmp_path: Path) -> None:
    sure = OnnxModel(make_model_file(tmp_path / "sad.onnx", bias={"sad": 100}))
    prediction = Predictor(sure, MagentaPatches(), social).predict(picture((10, 20, 40, 50)))
    assert prediction.emotions == prediction.faces[0].emotions == ("sad",)
    assert "💔" in prediction.reactions.allowed
    assert "🎉" in prediction.reactions.blocked


def test_a_threshold_overrides_those_of_policy_and_card(model: OnnxModel, social: Policy) -> None:
    image = picture((10, 20, 40, 50))
    assert len(Predictor(model, MagentaPatches(), social, threshold=0.0).predict(image).emotions) == len(LABELS)
    assert len(Predictor(model, MagentaPatches(), social, threshold=1.0).predict(image).emotions) == 1  # the top one
    with pytest.raises(ConfigError, match="0 to 1"):
        Predictor(model, MagentaPatches(), social, threshold=1.5)


def test_an_unreadable_image_raises_when_it_stands_alone(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        predictor.predict(tmp_path / "nowhere.jpg")
    assert caught.value.code == "not_found"


def test_a_bad_image_among_many_is_a_failure_and_the_others_are_read_in_order(
    predictor: Predictor, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    faces = [((10 * count, 20, 20, 20),) for count in range(1, 12)]
    sources = [picture(*face) for face in faces]
    sources[4:4] = [str(tmp_path / "broken.jpg")]
    results = list(predictor.predict_many(sources, batch_size=3))
    failure = results.pop(4)
    assert isinstance(failure, Failure)
    assert failure.input == str(tmp_path / "broken.jpg")
    boxes = [result.faces[0].box for result in results if isinstance(result, Prediction)]
    assert boxes == [face for (face,) in faces]


def test_a_batch_says_what_its_images_say_alone(predictor: Predictor) -> None:
    images = [picture((10, 20, 30 + index, 50), (90, 5, 40, 30)) for index in range(7)] + [picture()]
    for image, result in zip(images, predictor.predict_many(images, batch_size=4), strict=True):
        alone = predictor.predict(image)
        assert isinstance(result, Prediction)
        assert [face.box for face in result.faces] == [face.box for face in alone.faces]
        assert list(result.probabilities.values()) == pytest.approx(list(alone.probabilities.values()), abs=1e-5)


def test_images_without_a_path_are_told_apart_by_their_place(predictor: Predictor) -> None:
    names = [result.input for result in predictor.predict_many([picture(), b"", picture()])]
    assert names == ["<array 0>", "<bytes 1>", "<array 2>"]


def test_nothing_gives_nothing(predictor: Predictor) -> None:
    assert list(predictor.predict_many([])) == []


def test_a_batch_of_nothing_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match="at least one"):
        next(predictor.predict_many([picture()], batch_size=0))


def test_a_wide_photograph_keeps_its_detail_when_it_is_classified_whole(
    model: OnnxModel, social: Policy, tmp_path: Path
) -> None:
    stripes = np.zeros((512, 1536, 3), np.uint8)
    stripes[np.arange(512) % 64 < 32] = 255
    Image.fromarray(stripes).save(tmp_path / "wide.jpg", quality=95)
    predictor = Predictor(model, None, social)
    small = Image.fromarray(stripes).resize((48, 48), Image.Resampling.BILINEAR)
    expected = predictor.classify([np.asarray(small)])[0]
    found = predictor.predict(tmp_path / "wide.jpg").probabilities
    assert list(found.values()) == pytest.approx(expected.tolist(), abs=0.02)


def test_all_faces_of_a_batch_share_one_call_of_the_model(model: OnnxModel, social: Policy) -> None:
    class Counting(OnnxModel):
        calls: list[int]

        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            self.calls.append(len(crops))
            return super().probabilities(crops)

    counting = Counting(model.path)
    counting.calls = []
    images = [picture((10, 20, 30, 50), (90, 5, 40, 30))] * 5 + [b"broken"] + [picture()]
    list(Predictor(counting, MagentaPatches(), social).predict_many(images, batch_size=4))
    assert counting.calls == [8, 2]


def test_an_endless_stream_is_read_only_as_far_as_it_is_asked_for(predictor: Predictor) -> None:
    taken = 0

    def stream() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        while True:
            taken += 1
            yield picture((10, 20, 30, 50))

    results = predictor.predict_many(stream(), batch_size=2)
    assert len(list(islice(results, 5))) == 5
    results.close()
    assert taken <= 12


def test_a_stream_that_is_left_early_leaves_no_thread_behind(predictor: Predictor) -> None:
    results = predictor.predict_many([picture((10, 20, 30, 50))] * 50, batch_size=2)
    next(results)
    assert any(thread.name.startswith("emolens") for thread in threading.enumerate())
    results.close()
    assert not any(thread.name.startswith("emolens") for thread in threading.enumerate())


def test_one_predictor_serves_several_threads(predictor: Predictor) -> None:
    image = picture((10, 20, 40, 50))
    expected = list(predictor.predict(image).probabilities.values())
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.append(list(predictor.predict(image).probabilities.values())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.allclose(found, [expected] * 8, atol=1e-6)


def test_crops_at_the_models_size_and_of_any_size_are_classified(predictor: Predictor) -> None:
    large = picture(size=(96, 96))
    grey = np.asarray(Image.fromarray(large).convert("L").resize((48, 48), Image.Resampling.BILINEAR))
    exact = predictor.classify(grey[None, :, :, None])
    assert exact.shape == (1, len(LABELS))
    assert np.allclose(predictor.classify([grey, large]), [exact[0], exact[0]], atol=0.02)
    assert predictor.classify([]).shape == (0, len(LABELS))


def test_crops_that_are_no_images_are_refused(predictor: Predictor) -> None:
    with pytest.raises(ImageError, match="uint8"):
        predictor.classify([np.zeros((48, 48), np.float64)])  # type: ignore[list-item]


def test_load_opens_a_file_with_the_policy_and_detector_it_is_given(tmp_path: Path, social: Policy) -> None:
    path = make_model_file(tmp_path / "mine.onnx")
    predictor = load(str(path), detector=None, policy=social)
    assert predictor.detector is None
    assert predictor.predict(picture()).model == "mine"


def test_a_model_that_does_not_look_at_faces_gets_no_detector(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "scene.onnx", kind="scene")
    predictor = load(path, detector="one that does not exist")
    assert predictor.predict(picture((10, 20, 40, 50))).faces == ()


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "face.onnx")
    with pytest.raises(ModelError, match="not a detector"):
        open_detector(path)


@pytest.mark.parametrize("size", [-1, 0, 31])
def test_a_size_at_which_no_face_can_be_found_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=f"32 pixels or more, not {size}; None"):
        open_detector("detector", size)


def test_faces_of_a_real_photograph_are_found_at_any_size(shared_data: Path, tmp_path: Path) -> None:
    model = make_model_file(tmp_path / "tiny.onnx")
    predictor = load(model, detector=shared_data / "weights" / "yunet_s_dynamic.onnx")
    photo = Image.open(shared_data / "photos" / "human_person-vlado.jpg").convert("RGB")
    (face,) = predictor.predict(photo).faces
    for scale in (0.5, 2.0):
        resized = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        (again,) = predictor.predict(resized).faces
        assert np.array(again.box) / scale == pytest.approx(face.box, abs=0.1 * face.box[2])


@pytest.mark.parametrize(("threshold", "unsure"), [(0.0, False), (0.9999, True)])
def test_an_answer_under_the_threshold_of_abstention_is_unsure(tmp_path, social, threshold, unsure) -> None:
    abstention = {"threshold": threshold, "risk": 0.1, "coverage": 0.5, "fitted_on": "rows"}
    model = OnnxModel(make_model_file(tmp_path / "careful.onnx", abstention=abstention))
    predictor = Predictor(model, MagentaPatches(), social)
    assert predictor.predict(picture((10, 20, 40, 50))).unsure is unsure
    assert predictor.predict(picture()).unsure is False  # no face, no answer


def test_a_model_of_emoji_answers_for_the_whole_image_or_for_each_emoji(tmp_path: Path) -> None:
    model = make_model_file(tmp_path / "emoji.onnx", labels=("happy", "sad"), kind="emoji")
    picture = Image.new("RGB", (200, 100), "white")
    for x, side in ((10, 60), (120, 50)):
        one = face(smiles=True, side=side)
        picture.paste(one, (x, 20), one)
    assert load(model).predict(picture).faces == ()
    found = load(model, crop_emoji=True).predict(picture)
    assert [tuple(map(round, one.box)) for one in found.faces] == [(10, 20, 60, 60), (120, 20, 50, 50)]
    assert found.reactions.allowed


def test_emoji_are_not_cropped_for_a_model_of_faces(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tiny is no model of emoji but of kind face"):
        load(make_model_file(tmp_path / "tiny.onnx"), crop_emoji=True)


def test_the_embedded_model_of_emoji_tells_a_smile_from_its_opposite() -> None:
    model = load("emoji")
    assert [model.predict(face(smiles)).dominant for smiles in (True, False)] == ["happy", "sad"]


def test_after_the_first_of_many_images_searches_run_side_by_side(model: OnnxModel, social: Policy) -> None:
    class Counting(MagentaPatches):
        def __init__(self, many: "Counting | None" = None) -> None:
            super().__init__()
            self.searched, self.many = 0, many

        def for_many(self) -> "Counting":  # type: ignore[override]
            assert self.many is not None
            return self.many

        def detect(self, image: NDArray[np.uint8]) -> Detections:
            self.searched += 1
            return super().detect(image)

    many = Counting()
    alone = Counting(many)
    images = [picture((10, 20, 40, 50)) for _ in range(5)]
    found = list(Predictor(model, alone, social).predict_many(images))
    assert [len(result.faces) for result in found if isinstance(result, Prediction)] == [1] * 5
    assert (alone.searched, many.searched) == (1, 4)


def test_many_images_are_classified_beside_the_search_of_others_and_one_alone(social: Policy, tmp_path: Path) -> None:
    class Counting(OnnxModel):
        def __init__(self, many: "Counting | None" = None) -> None:
            super().__init__(make_model_file(tmp_path / "tiny.onnx"), "cpu")
            self.asked, self.many = 0, many

        def for_many(self) -> "Counting":
            assert self.many is not None
            return self.many

        def classify(self, framed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            self.asked += 1
            return super().classify(framed)

    many = Counting()
    alone = Counting(many)
    images = [picture((10, 20, 40, 50)) for _ in range(5)]
    assert len(list(Predictor(alone, MagentaPatches(), social).predict_many(images, batch_size=4))) == 5
    assert (alone.asked, many.asked) == (1, 1)
