"""What the server refuses, with which status, and in which words."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from detectors import MagentaPatches
from emolens.detect.base import Detections
from hostile import png
from pictures import picture

FACE = (10, 20, 40, 50)
PNG = {"Content-Type": "image/png"}
FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}
LEAKS = re.compile(
    r"Traceback|/work|/tmp|/home|site-packages|\.py\b|PIL|[Pp]illow|[Oo]nnx|starlette|fastapi|pydantic|multipart\."
)


def refused(answer: Any, status: int, code: str | None = None) -> dict[str, str]:
    """The error, after everything that holds for all of them."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error: dict[str, str] = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert not LEAKS.search(answer.text), answer.text
    assert code is None or error["code"] == code
    return error


def part(content: bytes, name: str = "file", more: str = "") -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n{more}\r\n'.encode() + content + b"\r\n"


def test_paths_and_methods_that_do_not_exist(client: TestClient) -> None:
    refused(client.get("/nowhere"), 404, "not_found")
    answer = client.get("/predict")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert client.delete("/policy").headers["allow"] == "GET, PUT"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"threshold": "1.5"}, "invalid_parameter"),
        ({"threshold": "often"}, "invalid_parameter"),
        ({"treshold": "0.5"}, "invalid_parameter"),
        ({"policy": "/etc/passwd"}, "unknown_policy"),
        ({"model": "../face.onnx"}, "unknown_model"),
    ],
)
@pytest.mark.parametrize("way", ["query", "form"])
def test_options_that_cannot_be_used(client: TestClient, options: dict[str, str], code: str, way: str) -> None:
    chosen = {"params": options} if way == "query" else {"data": options}
    error = refused(client.post("/predict", files={"file": picture(FACE)}, **chosen), 422, code)
    assert "passwd" not in error["message"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", PNG, 400, "empty"),
        (b"no image at all", PNG, 415, "not_an_image"),
        (picture(FACE)[:300], PNG, 422, "truncated"),
        (png(60_000, 60_000), PNG, 413, "too_many_pixels"),
        (picture(FACE), {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (picture(FACE), {}, 415, "unsupported_media_type"),
        (picture(FACE), {**PNG, "Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
        (part(picture(FACE)) + b"--xyz--\r\n", {"Content-Type": "multipart/form-data"}, 400, "bad_form"),
        (part(picture(FACE)) + b"--xyz--\r\n", {"Content-Type": "multipart/form-data; boundary=abc"}, 400, "bad_form"),
        (
            part(picture(FACE)) + b"--xyz--\r\n",
            {"Content-Type": f"multipart/form-data; boundary={'a' * 999}"},
            400,
            "bad_form",
        ),
        (part(picture(FACE)), FORM, 400, "bad_form"),
        (b"", FORM, 400, "bad_form"),
        (part(b"1", "threshold") + b"--xyz--\r\n", FORM, 400, "no_file"),
        (b"--xyz\r\nContent-Type: image/png\r\n\r\nabc\r\n--xyz--\r\n", FORM, 400, "bad_form"),
        (part(picture(FACE)) * 2 + b"--xyz--\r\n", FORM, 413, "too_many_files"),
        (part(b"1", "a") * 10_000 + b"--xyz--\r\n", FORM, 422, "invalid_parameter"),
        (b"".join(part(b"1", f"a{count}") for count in range(10_000)) + b"--xyz--\r\n", FORM, 413, "too_many_parts"),
        (part(b"1" * 10_000, "threshold") + b"--xyz--\r\n", FORM, 422, "field_too_long"),
        (part(b"1", more=f"X-Flood: {'a' * 100_000}\r\n") + b"--xyz--\r\n", FORM, 400, "bad_form"),
        (part(b"1", more="X-Flood: a\r\n" * 1000) + b"--xyz--\r\n", FORM, 400, "bad_form"),
        (part(b"1", "threshold") * 2 + part(picture(FACE)) + b"--xyz--\r\n", FORM, 422, "invalid_parameter"),
    ],
)
def test_bodies_that_cannot_be_used(
    client: TestClient, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    refused(client.post("/predict", content=content, headers=headers), status, code)


class Stream:
    """A client that sends chunk after chunk, up to 100 MB, straight into the application."""

    def __init__(self, app: Any, first: bytes, headers: dict[str, str]) -> None:
        self._app, self._first = app, first
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.taken = 0
        self.status = 0

    def send(self) -> None:
        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": self._headers}
        asyncio.run(self._app(scope, self._receive, self._answer))

    async def _receive(self) -> dict[str, Any]:
        chunk = self._first if self.taken == 0 else bytes(2**16)
        self.taken += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": self.taken < 100 * 2**20}

    async def _answer(self, message: Any) -> None:
        self.status = message.get("status", self.status)


FIRST_PART = b'--xyz\r\nContent-Disposition: form-data; name="file"\r\n\r\n'


@pytest.mark.parametrize(
    ("first", "headers", "most"),
    [
        (b"0", PNG, 2**20 + 2**17),
        (FIRST_PART, FORM, 2**20 + 2**18),
        (b"0", {**PNG, "Content-Length": str(100 * 2**20)}, 0),
    ],
)
def test_a_body_is_read_up_to_the_limit_and_no_further(
    serve: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    headers: dict[str, str],
    most: int,
) -> None:
    monkeypatch.setenv("EMOLENS_MAX_BYTES", str(2**20))
    stream = Stream(serve().app, first, headers)
    stream.send()
    assert stream.status == 413
    assert stream.taken <= most


def test_a_file_over_the_limit_spoils_its_place_in_a_batch_alone(
    serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = picture(FACE, size=(100, 80))
    monkeypatch.setenv("EMOLENS_MAX_BYTES", str(len(small)))
    files = [("file", small), ("file", small + b"0"), ("file", small)]
    results = serve().post("/predict/batch", files=files).json()["results"]
    assert [result.get("error", {}).get("code") for result in results] == [None, "too_many_bytes", None]


def test_more_files_than_a_batch_may_have(serve: Callable[..., TestClient]) -> None:
    files = [("file", picture(FACE))] * 3
    refused(serve(files=2).post("/predict/batch", files=files), 413, "too_many_files")


def test_uploads_beyond_the_memory_for_all_of_them(serve: Callable[..., TestClient]) -> None:
    client = serve(memory=1000)
    refused(client.post("/predict", content=picture(FACE), headers=PNG), 413, "too_many_bytes")
    assert "emolens_upload_bytes 0.0" in client.get("/metrics").text


def test_a_fault_of_ours_is_told_without_its_cause(serve: Callable[..., TestClient]) -> None:
    class Faulty(MagentaPatches):
        def detect(self, image: NDArray[np.uint8]) -> Detections:  # noqa: ARG002
            raise RuntimeError("a secret of /home/ada")

    client = serve(Faulty())
    error = refused(client.post("/predict", content=picture(FACE), headers=PNG), 500, "internal")
    assert "secret" not in error["message"]


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for answer in (client.get("/health"), client.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
