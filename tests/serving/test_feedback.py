"""`POST /feedback`: what is kept, what is refused, what is never logged, and a database that is away."""

import base64
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

pytest.importorskip("sqlalchemy")

from emolens.feedback import Store
from emolens.feedback.answer import MOST_BYTES
from emolens.serving.logs import JsonLines
from feedback_answers import FIRST
from pictures import picture
from serving.test_policy import USER, entry

OPINION = {
    "client_id": FIRST,
    "model": "face",
    "version": "1",
    "probabilities": {"happy": 0.9, "sad": 0.1},
    "said": ["sad"],
}
FACE = (10, 20, 40, 50)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/feedback.db"
    monkeypatch.setenv("EMOLENS_FEEDBACK_URL", url)
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def client(url: str, serve: Callable[..., TestClient]) -> TestClient:  # noqa: ARG001
    return serve(feedback=True)


def test_an_answer_is_kept_once(client: TestClient, store: Store) -> None:
    first, again = (client.post("/feedback", json=OPINION) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"client_id": FIRST, "new": True})
    assert (again.status_code, again.json()) == (200, {"client_id": FIRST, "new": False})
    [kept] = store.answers()
    assert (kept.client_id, kept.said, kept.agreed) == (FIRST, ("sad",), False)


def test_another_answer_with_the_same_id_is_refused(client: TestClient, store: Store) -> None:
    client.post("/feedback", json=OPINION)
    refused = client.post("/feedback", json=OPINION | {"said": ["happy"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert [answer.said for answer in store.answers()] == [("sad",)]


def test_an_image_is_stored_with_consent_alone(client: TestClient, store: Store) -> None:
    image = {"image": base64.b64encode(picture(FACE)).decode(), "box": FACE}
    refused = client.post("/feedback", json=OPINION | image)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_feedback")
    assert "consent" in refused.json()["error"]["message"]
    assert list(store.answers()) == []
    assert client.post("/feedback", json=OPINION | image | {"consent": True}).status_code == 201
    [kept] = store.kept()
    assert kept.box == (10, 20, 40, 50)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"client_id": "1"}, 422, "invalid_feedback"),
        ({"said": ["awe"]}, 422, "invalid_feedback"),
        ({"said": []}, 422, "invalid_feedback"),
        ({"probabilities": {"happy" * 100: 1, "sad": 0}}, 422, "invalid_feedback"),
        ({"box": [0, 0, -1, 5]}, 422, "invalid_feedback"),
        ({"created": "2020-01-01T00:00:00Z"}, 422, "invalid_feedback"),
        ({"consent": True, "image": "abcde"}, 422, "invalid_feedback"),
        ({"consent": True, "image": base64.b64encode(b"no image").decode()}, 415, "not_an_image"),
        ({"consent": True, "image": base64.b64encode(picture()[:200]).decode()}, 422, "truncated"),
        ({"consent": True, "image": base64.b64encode(picture()).decode(), "box": [900, 0, 5, 5]}, 422, "outside"),
    ],
)
def test_what_is_no_answer_is_refused_and_not_kept(
    client: TestClient, store: Store, change: dict[str, Any], status: int, code: str
) -> None:
    refused = client.post("/feedback", json=OPINION | change)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert len(refused.json()["error"]["message"]) < 300
    assert list(store.answers()) == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "bad_json"),
        (b"", "application/json", 400, "bad_json"),
        (b"[" * 100_000, "application/json", 400, "bad_json"),
        (b"[]", "application/json", 422, "invalid_feedback"),
        (json.dumps(OPINION).encode(), "text/plain", 415, "unsupported_media_type"),
        (b" " * (2 * MOST_BYTES), "application/json", 413, "too_many_bytes"),
    ],
)
def test_bodies_that_are_no_json_or_too_large_are_refused(
    client: TestClient, content: bytes, kind: str, status: int, code: str
) -> None:
    refused = client.post("/feedback", content=content, headers={"Content-Type": kind})
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)


def test_an_answer_is_removed_by_its_id(client: TestClient, store: Store) -> None:
    client.post("/feedback", json=OPINION)
    assert client.delete(f"/feedback/{FIRST}").status_code == 204
    assert list(store.answers()) == []
    gone = client.delete(f"/feedback/{FIRST}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_feedback")


def test_keys_are_asked_for(url: str, serve: Callable[..., TestClient]) -> None:  # noqa: ARG001
    client = serve(feedback=True, keys=entry("ada", "the-user-key"))
    assert client.post("/feedback", json=OPINION).status_code == 401
    assert client.delete(f"/feedback/{FIRST}").status_code == 401
    assert client.post("/feedback", json=OPINION, headers=USER).status_code == 201


def test_without_the_setting_there_is_no_such_endpoint(serve: Callable[..., TestClient]) -> None:
    client = serve()
    assert client.post("/feedback", json=OPINION).status_code == 404
    assert not any("feedback" in path for path in client.get("/openapi.json").json()["paths"])


def test_the_description_has_an_example_that_is_taken(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    example = paths["/feedback"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert client.post("/feedback", json=example).status_code == 201
    assert set(paths["/feedback"]["post"]["responses"]) >= {"200", "201", "409", "503"}
    assert "delete" in paths["/feedback/{client_id}"]


def test_nothing_that_was_said_is_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    image = base64.b64encode(picture()).decode()
    said = OPINION | {"probabilities": {"a-secret-label": 1, "sad": 0}, "consent": True, "image": image}
    client.post("/feedback", json=said)
    client.post("/feedback", json=said | {"said": ["a-secret-label"]})
    client.post("/feedback", json=said | {"client_id": "a-secret-id"})

    def fail(*_: object) -> None:
        raise RuntimeError("a-secret-label")

    monkeypatch.setattr(Store, "add", fail)
    assert client.post("/feedback", json=said).status_code == 500
    client.delete(f"/feedback/{FIRST}")
    logged = "\n".join(JsonLines().format(record) for record in caplog.records if record.name.startswith("emolens"))
    assert '"path": "/feedback"' in logged
    for secret in ("a-secret", FIRST, image[:40]):
        assert secret not in logged


def test_a_database_that_is_away_is_503_and_everything_else_goes_on(
    serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setenv("EMOLENS_FEEDBACK_URL", "postgresql://ada:secret@/feedback?host=/nowhere")
    client = serve(feedback=True)
    answer = client.post("/feedback", json=OPINION)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "feedback_away")
    assert answer.headers["retry-after"] == "5"
    assert "nowhere" not in answer.text
    assert client.delete(f"/feedback/{FIRST}").status_code == 503
    assert client.post("/predict", content=picture(FACE), headers={"Content-Type": "image/png"}).status_code == 200
    assert any("/nowhere" in str(line.get("why")) for line in log())
    assert "secret" not in str(log())


def test_a_slow_database_does_not_hold_up_photographs(
    client: TestClient, serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    monkeypatch.setattr(Store, "add", lambda *_: free.wait(30))
    slow = serve(feedback=True, deadline=0.5)
    try:
        answer = slow.post("/feedback", json=OPINION)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "deadline")
        assert client.post("/predict", content=picture(FACE), headers={"Content-Type": "image/png"}).status_code == 200
    finally:
        free.set()
