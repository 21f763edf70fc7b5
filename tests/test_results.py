"""Results are JSON in exactly the shape that is promised, also without a face."""

import json
from dataclasses import FrozenInstanceError

import pytest

from emolens.errors import ImageError
from emolens.results import Face, Failure, Prediction, Reactions

FACE = Face((10.04, 20.0, 30.0, 40.0), 0.98761, {"happy": 0.7, "sad": 0.2999999, "fear": 0.0000001}, ("happy",))

REACTIONS = Reactions(("😀", "👍"), ("😡",), ("👍", "😀"), {"😀": {"allowed_by": ("happy",), "blocked_by": ()}})


def prediction(faces: tuple[Face, ...] = (FACE,), probabilities: dict[str, float] | None = None) -> Prediction:
    return Prediction(
        input="photo.jpg",
        model="face",
        width=640,
        height=480,
        probabilities=FACE.probabilities if probabilities is None else probabilities,
        emotions=("happy",) if faces else (),
        faces=faces,
        reactions=REACTIONS,
        milliseconds={"decode": 1.23456, "detect": 2.0, "classify": 3.0, "total": 6.23456},
    )


def test_a_face_knows_its_likeliest_emotion():
    assert FACE.dominant == "happy"
    assert FACE.confidence == 0.7


def test_the_json_of_an_image_is_the_promised_one():
    found = json.loads(json.dumps(prediction().to_dict(), allow_nan=False))
    assert found == {
        "input": "photo.jpg",
        "model": "face",
        "width": 640,
        "height": 480,
        "dominant": "happy",
        "confidence": 0.7,
        "unsure": False,
        "emotions": ["happy"],
        "probabilities": {"happy": 0.7, "sad": 0.3, "fear": 0.0},
        "faces": [
            {
                "box": [10.0, 20.0, 30.0, 40.0],
                "score": 0.9876,
                "dominant": "happy",
                "confidence": 0.7,
                "emotions": ["happy"],
                "probabilities": {"happy": 0.7, "sad": 0.3, "fear": 0.0},
            }
        ],
        "reactions": {
            "allowed": ["😀", "👍"],
            "blocked": ["😡"],
            "suggested": ["👍", "😀"],
            "reasons": {"😀": {"allowed_by": ["happy"], "blocked_by": []}},
        },
        "milliseconds": {"decode": 1.23, "detect": 2.0, "classify": 3.0, "total": 6.23},
    }


def test_an_image_without_a_face_has_no_dominant_emotion_but_is_an_answer():
    without = prediction((), {"happy": 0.0, "sad": 0.0})
    assert without.dominant is None
    assert without.confidence is None
    found = without.to_dict()
    assert (found["dominant"], found["confidence"], found["faces"]) == (None, None, [])
    assert found["probabilities"] == {"happy": 0.0, "sad": 0.0}


def test_a_failure_has_the_input_and_a_code():
    failure = Failure.from_error("broken.jpg", ImageError("truncated", "broken.jpg: is cut short"))
    assert failure.to_dict() == {
        "input": "broken.jpg",
        "error": {"code": "truncated", "message": "broken.jpg: is cut short"},
    }


@pytest.mark.parametrize("result", [FACE, REACTIONS, prediction(), Failure("a", "b", "c")])
def test_a_result_does_not_change_once_made(result):
    with pytest.raises(FrozenInstanceError):
        setattr(result, next(iter(result.__dict__)), None)
