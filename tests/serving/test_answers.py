"""What the server answers when all is well."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from detectors import MagentaPatches
from emolens import Policy, Predictor, __version__
from emolens.runtime import OnnxModel
from pictures import picture

LABELS = ["happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other"]
FACE = (10, 20, 40, 50)
PNG = {"Content-Type": "image/png"}


def test_an_answer_has_the_fields_of_both_kinds_of_client(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": ("me.png", picture(FACE))}, data={"include_scores": "true"})
    assert answer.status_code == 200
    said = answer.json()
    assert said["status"] == "success"
    assert said["prediction"]["dominant_emotion"] == "happy"
    assert said["prediction"]["confidence"] == pytest.approx(1)
    assert list(said["prediction"]["probability_distribution"]) == LABELS
    assert said["all_emotions"] == LABELS
    assert said["predicted_emotions"] == ["happy"]
    assert "🎉" in said["allowed_emojis"]
    assert "😢" in said["blocked_emojis"]
    assert said["emotion_scores"] == said["prediction"]["probability_distribution"]
    assert said["faces"][0]["box"] == list(FACE)
    assert said["model"] == "tiny"
    assert said["request_id"] == answer.headers["x-request-id"]


def test_it_says_what_the_predictor_says(client: TestClient, model_file: Any) -> None:
    image = picture(FACE, (100, 10, 60, 80))
    alone = Predictor(OnnxModel(model_file), MagentaPatches(), Policy.load("social")).predict(image).to_dict()
    said = client.post("/predict", content=image, headers=PNG).json()
    assert said["faces"] == alone["faces"]
    assert said["prediction"]["probability_distribution"] == alone["probabilities"]
    assert said["allowed_emojis"] == alone["reactions"]["allowed"]
    assert said["reasons"] == alone["reactions"]["reasons"]


def test_the_scores_are_left_out_where_nobody_asks_for_them(client: TestClient) -> None:
    assert "emotion_scores" not in client.post("/predict", content=picture(FACE), headers=PNG).json()


def test_an_image_without_a_face_is_answered(client: TestClient) -> None:
    said = client.post("/predict", content=picture(), headers=PNG).json()
    assert said["prediction"]["dominant_emotion"] is None
    assert said["prediction"]["confidence"] is None
    assert said["faces"] == said["predicted_emotions"] == []


@pytest.mark.parametrize("way", ["query", "form"])
def test_options_come_as_parameters_or_as_fields(client: TestClient, way: str) -> None:
    options = {"threshold": "0", "policy": "social", "model": "tiny"}
    chosen = {"params": options} if way == "query" else {"data": options}
    answer = client.post("/predict", files={"file": picture(FACE)}, **chosen)
    assert len(answer.json()["predicted_emotions"]) == len(LABELS)


def test_emojis_alone_are_those_that_fit_likeliest_first(client: TestClient) -> None:
    whole = client.post("/predict", content=picture(FACE), headers=PNG).json()
    assert client.post("/predict_emojis", content=picture(FACE), headers=PNG).json() == {
        "emojis": whole["suggested_emojis"]
    }


def test_a_batch_is_answered_in_order_and_a_bad_file_spoils_only_its_place(client: TestClient) -> None:
    files = [
        ("file", ("a", picture(FACE))),
        ("file", ("b", b"broken")),
        ("file", ("c", picture(FACE, (100, 10, 60, 80)))),
    ]
    answer = client.post("/predict/batch", files=files)
    assert answer.status_code == 200
    first, broken, last = answer.json()["results"]
    assert (len(first["faces"]), len(last["faces"])) == (1, 2)
    assert broken == {"error": {"code": "not_an_image", "message": broken["error"]["message"]}}


def test_nothing_of_the_files_metadata_comes_back(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = "Ada of 12 Example Street"
    answer = client.post("/predict", files={"file": ("private-name.png", picture(FACE, exif=exif))})
    assert answer.status_code == 200
    assert "Example Street" not in answer.text + str(answer.headers)
    assert "private-name" not in answer.text


def test_boxes_are_those_of_the_upright_image(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned right by a quarter
    side = io.BytesIO()
    Image.open(io.BytesIO(picture(FACE))).transpose(Image.Transpose.ROTATE_90).save(side, "PNG", exif=exif)
    said = client.post("/predict", content=side.getvalue(), headers=PNG).json()
    assert said["faces"][0]["box"] == list(FACE)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", {"status": "ok", "model_loaded": True}),
        ("/ready", {"ready": True}),
        ("/hello", {"message": "emolens is here", "version": __version__}),
        ("/emotions", {"emotions": LABELS, "num_emotions": 8}),
    ],
)
def test_what_the_server_says_of_itself(client: TestClient, path: str, expected: dict[str, Any]) -> None:
    assert client.get(path).json() == expected


def test_the_mappings_are_those_of_the_live_policy(client: TestClient) -> None:
    mappings = client.get("/emotion_mappings").json()["mappings"]
    rule = Policy.load("social").rules["sad"]
    assert list(mappings) == list(Policy.load("social").labels)
    assert mappings["sad"] == {"allowed": list(rule.allow), "blocked": list(rule.block)}


def test_the_models_are_named_without_their_places(client: TestClient, model_file: Any) -> None:
    answer = client.get("/models")
    (model,) = answer.json()["models"]
    assert (model["name"], model["default"], model["labels"]) == ("tiny", True, LABELS)
    assert str(model_file.parent) not in answer.text


def test_openapi_describes_bodies_and_errors(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    predict = described["paths"]["/predict"]["post"]
    assert set(predict["requestBody"]["content"]) >= {"multipart/form-data", "image/*"}
    assert predict["responses"]["503"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorAnswer")
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_metrics_count_requests_steps_and_batches(client: TestClient) -> None:
    client.post("/predict", content=picture(FACE), headers=PNG)
    client.get("/made/up")
    text = client.get("/metrics").text
    assert 'emolens_requests_total{path="/predict",status="200"} 1.0' in text
    assert 'emolens_requests_total{path="other",status="404"} 1.0' in text
    assert 'emolens_step_seconds_count{step="detect"} 1.0' in text
    assert "emolens_batch_faces_count 1.0" in text
    assert "emolens_images_waiting 0.0" in text
    assert "emolens_upload_bytes 0.0" in text


def test_the_log_has_id_status_and_times_and_nothing_of_the_person(
    client: TestClient, log: Callable[[], list[dict[str, Any]]]
) -> None:
    headers = {**PNG, "X-Request-ID": "mine-1"}
    client.post("/predict", content=picture(FACE), headers=headers)
    (line,) = log()
    assert (line["request_id"], line["method"], line["path"], line["status"]) == ("mine-1", "POST", "/predict", 200)
    assert list(line["milliseconds"]) == ["upload", "wait", "decode", "detect", "classify", "total"]
    assert not [label for label in LABELS if label in str(line)]


def test_a_made_up_request_id_is_replaced(client: TestClient) -> None:
    given = client.get("/health", headers={"X-Request-ID": "a b\tc" * 30}).headers["x-request-id"]
    assert len(given) == 32
