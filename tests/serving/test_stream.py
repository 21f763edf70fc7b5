"""A stream of frames, as its client sees it."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from detectors import HeldUp, MagentaPatches
from emolens.detect.base import Detections
from emolens.image import Limits
from emolens.serving import ServerSettings
from pictures import picture
from server_process import until

FACE, BESIDE = (10, 20, 40, 50), (120, 20, 40, 50)
KEYS = f"ada:{hashlib.sha256(b'ada-key').hexdigest()}"
ADA = {"Authorization": "Bearer ada-key"}

Serve = Callable[..., TestClient]
Log = Callable[[], list[dict[str, Any]]]


def ask(stream: WebSocketTestSession, frame: bytes) -> Any:
    stream.send_bytes(frame)
    return stream.receive_json()


def faces(answer: Any) -> dict[int, float]:
    """Per id the left edge of the face."""
    return {face["id"]: face["box"][0] for face in answer["faces"]}


def refused(client: TestClient, path: str = "/stream", **options: Any) -> tuple[int, str]:
    """Status and code of a handshake that is answered by an error."""
    with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect(path, **options):
        pass
    error = caught.value.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["request_id"] == caught.value.headers["x-request-id"]
    return caught.value.status_code, error["code"]


def ended(stream: WebSocketTestSession) -> int:
    """The code with which the server closes."""
    with pytest.raises(WebSocketDisconnect) as caught:
        stream.receive_json()
    return caught.value.code


def test_every_frame_is_answered_as_predict_would_and_faces_keep_their_ids(client: TestClient) -> None:
    image = picture(FACE)
    alone = client.post("/predict", content=image, headers={"Content-Type": "image/png"}).json()
    with client.websocket_connect("/stream") as stream:
        first = ask(stream, image)
        assert set(first) == set(alone) | {"frame", "dropped"}
        assert (first["status"], first["prediction"]) == ("success", alone["prediction"])
        assert (first["frame"], first["dropped"]) == (1, 0)
        assert faces(first) == {1: 10}
        assert faces(ask(stream, picture((14, 22, 40, 50), BESIDE))) == {1: 14, 2: 120}
        assert faces(ask(stream, picture(BESIDE))) == {2: 120}
        assert faces(ask(stream, picture(FACE, BESIDE))) == {1: 10, 2: 120}
        last = ask(stream, picture((24, 44, 96, 110), (244, 44, 96, 110), size=(400, 240)))  # another resolution
        assert set(faces(last)) == {1, 2}
        assert last["frame"] == 5


def test_options_are_those_of_predict(client: TestClient) -> None:
    with client.websocket_connect("/stream?include_scores=true&threshold=0.01&policy=social") as stream:
        assert "emotion_scores" in ask(stream, picture(FACE))
    assert refused(client, "/stream?treshold=0.5") == (422, "invalid_parameter")
    assert refused(client, "/stream?threshold=2") == (422, "invalid_parameter")
    assert refused(client, "/stream?model=none") == (422, "unknown_model")
    assert refused(client, "/stream?policy=none") == (422, "unknown_policy")
    assert refused(client, "/nowhere") == (404, "not_found")


def test_an_unreadable_frame_is_an_error_in_the_one_shape_and_the_stream_goes_on(client: TestClient) -> None:
    with client.websocket_connect("/stream", headers={"X-Request-ID": "mine"}) as stream:
        error = ask(stream, b"no image")
        assert (error["error"]["code"], error["error"]["request_id"], error["frame"]) == ("not_an_image", "mine", 1)
        assert set(error) == {"error", "frame", "dropped"}
        assert ask(stream, b"")["error"]["code"] == "empty"
        assert ask(stream, picture(FACE))["frame"] == 3


def test_the_newest_frame_wins_and_the_dropped_ones_are_told(serve: Serve, held_up: HeldUp, log: Log) -> None:
    client = serve(held_up)
    with client.websocket_connect("/stream") as stream:
        stream.send_bytes(picture(FACE))
        until(lambda: held_up.begun == 1)
        for _ in range(3):
            stream.send_bytes(b"outdated")
        stream.send_bytes(picture(BESIDE))
        until(lambda: f"emolens_upload_bytes {float(len(picture(FACE) + picture(BESIDE)))}" in metrics(client))
        held_up.free.set()
        first, second = stream.receive_json(), stream.receive_json()
        assert (first["frame"], first["dropped"]) == (1, 3)
        assert (second["frame"], second["dropped"]) == (5, 0)
        assert ask(stream, picture(FACE))["frame"] == 6
        # Before the end of the block, at which the test's client would end the server's side, too.
        stream.close(1000)
        until(lambda: any(line["path"] == "/stream" for line in log()))
    (line,) = (line for line in log() if line["path"] == "/stream")
    assert (line["status"], line["frames"], line["dropped"], line["code"]) == (101, 6, 3, 1000)
    text = metrics(client)
    for figure in (
        'emolens_frames_total{result="answered"} 3.0',
        'emolens_frames_total{result="dropped"} 3.0',
        "emolens_streams 0.0",
        "emolens_upload_bytes 0.0",
        "emolens_images_waiting 0.0",
    ):
        assert figure in text
    assert "/stream" not in text  # whose seconds would be those of no request


def metrics(client: TestClient) -> str:
    return client.get("/metrics").text


def test_a_frame_waits_in_the_queue_of_all_and_is_refused_where_it_is_full(serve: Serve, held_up: HeldUp) -> None:
    client = serve(held_up, queue=1, files=1)
    with client.websocket_connect("/stream") as one, client.websocket_connect("/stream") as other:
        one.send_bytes(picture(FACE))
        until(lambda: held_up.begun == 1)
        assert ask(other, picture(FACE))["error"]["code"] == "overloaded"
        held_up.free.set()
        assert one.receive_json()["status"] == "success"
        assert ask(other, picture(FACE))["status"] == "success"


def test_a_frame_for_which_there_is_no_memory_is_refused(serve: Serve) -> None:
    client = serve(memory=1000)
    with client.websocket_connect("/stream") as stream:
        assert ask(stream, picture(FACE))["error"]["code"] == "overloaded"
        assert ask(stream, b"small")["error"]["code"] == "not_an_image"


def test_a_frame_that_takes_too_long_is_given_up(serve: Serve, held_up: HeldUp) -> None:
    client = serve(held_up, deadline=0.05)
    with client.websocket_connect("/stream") as stream:
        assert ask(stream, picture(FACE))["error"]["code"] == "deadline"
        held_up.free.set()


def test_a_stream_on_which_nothing_comes_is_closed(serve: Serve) -> None:
    with serve(stream_seconds=1).websocket_connect("/stream") as stream:
        assert ended(stream) == 1008


def test_text_is_no_frame(client: TestClient) -> None:
    with client.websocket_connect("/stream") as stream:
        stream.send_text("hello")
        assert ended(stream) == 1003


def test_a_client_that_leaves_takes_its_frames_out_of_the_queue(serve: Serve, held_up: HeldUp) -> None:
    client = serve(held_up)
    with client.websocket_connect("/stream") as stream:
        stream.send_bytes(picture(FACE))
        until(lambda: held_up.begun == 1)
    until(lambda: "emolens_images_waiting 0.0" in metrics(client))
    assert "emolens_upload_bytes 0.0" in metrics(client)


def test_streams_are_counted(serve: Serve) -> None:
    client = serve(streams=1)
    with client.websocket_connect("/stream"):
        assert refused(client) == (503, "too_many_streams")
    until(lambda: "emolens_streams 0.0" in metrics(client))
    with client.websocket_connect("/stream") as stream:
        assert ask(stream, picture(FACE))["status"] == "success"


def test_a_fault_of_ours_closes_the_stream_and_is_told_without_its_cause(serve: Serve) -> None:
    class Faulty(MagentaPatches):
        def detect(self, image: NDArray[np.uint8]) -> Detections:  # noqa: ARG002
            raise RuntimeError("a secret of /home/ada")

    with serve(Faulty()).websocket_connect("/stream") as stream:
        stream.send_bytes(picture(FACE))
        assert ended(stream) == 1011


def test_keys_are_asked_for_before_anything_else(serve: Serve, log: Log) -> None:
    client = serve(keys=KEYS)
    assert refused(client, "/stream?threshold=2") == (401, "unauthorized")
    assert refused(client, headers={"Authorization": "Bearer other"}) == (401, "unauthorized")
    with client.websocket_connect("/stream", headers=ADA) as stream:
        assert ask(stream, picture(FACE))["status"] == "success"
    until(lambda: len(log()) == 3)
    assert [(line["status"], line.get("key")) for line in log()] == [(401, None), (401, None), (101, "ada")]


def test_a_stream_is_one_of_the_requests_that_a_key_may_have_at_once(serve: Serve) -> None:
    client = serve(keys=KEYS, key_concurrency=1)
    with client.websocket_connect("/stream", headers=ADA):
        assert client.get("/emotions", headers=ADA).status_code == 429
        assert refused(client, headers=ADA) == (429, "too_many_at_once")


def test_frames_beyond_the_rate_of_a_key_wait_and_the_newest_of_them_is_answered(serve: Serve, log: Log) -> None:
    client = serve(keys=KEYS, key_rate=1)  # the handshake is the request of the first second
    with client.websocket_connect("/stream", headers=ADA) as stream:
        for _ in range(5):
            stream.send_bytes(b"outdated")
        last = ask(stream, picture(FACE))
    assert (last["frame"], last["dropped"]) == (6, 5)
    until(lambda: bool(log()))
    assert log()[-1]["milliseconds"]["total"] > 500


@pytest.mark.parametrize(
    ("origin", "cors", "allowed"),
    [
        (None, "", True),
        ("http://testserver", "", True),
        ("https://app.example", "https://app.example", True),
        ("https://app.example", "*", True),
        ("https://app.example", "", False),
        ("https://testserver.example", "", False),
        ("http://testserver:81", "", False),
        ("null", "https://app.example", False),
        ("http://[", "", False),
    ],
)
def test_pages_of_other_sites_may_not_open_a_stream(serve: Serve, origin: str | None, cors: str, allowed: bool) -> None:
    client = serve(cors=cors)
    headers = {"Origin": origin} if origin else {}
    if not allowed:
        assert refused(client, headers=headers) == (403, "foreign_origin")
        return
    with client.websocket_connect("/stream", headers=headers) as stream:
        assert ask(stream, picture(FACE))["status"] == "success"


def test_what_arrives_on_all_streams_is_no_more_than_the_memory_for_uploads() -> None:
    limits = Limits(max_bytes=1000)
    assert ServerSettings.load(memory=16_000, streams=4).frame_bytes(limits) == 1000
    assert ServerSettings.load(memory=2000, streams=4).frame_bytes(limits) == 500


def test_the_description_tells_of_it(client: TestClient) -> None:
    assert "/stream" in json.dumps(client.get("/openapi.json").json()["info"])
