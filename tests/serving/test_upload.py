"""How a body is cut up on its way must not matter, and whatever comes is an upload or a refusal."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from emolens.serving.errors import RequestError
from emolens.serving.gate import Gate
from emolens.serving.metrics import Metrics
from emolens.serving.upload import Caps, Upload, read_upload

BODY = (
    b'--xyz\r\nContent-Disposition: form-data; name="threshold"\r\n\r\n0.5\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\r\n--xy\r\n--\r\n\x00--xyz\r\r\n--xyz--\r\n"
)
FILE = b"\r\n--xy\r\n--\r\n\x00--xyz\r"
GATE = Gate(10, 10_000, 1, Metrics())


def read(chunks: list[bytes]) -> Upload:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    ahead = iter([*messages, {"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(ahead)

    async def run() -> Upload:
        scope = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=xyz")]}
        with GATE.holding() as held:
            return await read_upload(Request(scope, receive), Caps(1000, 2000, 2, 10), held)

    return asyncio.run(run())


def outcome(body: bytes) -> str | int:
    try:
        return "an upload" if read([body]).files else "nothing"
    except RequestError as refused:
        return refused.status


@given(st.sets(st.integers(0, len(BODY))))
def test_the_pieces_in_which_a_form_arrives_change_nothing(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(BODY)]
    chunks = [BODY[start:end] for start, end in pairwise(edges)]
    assert read(chunks) == Upload([FILE], {"threshold": "0.5"})


@given(st.lists(st.tuples(st.integers(0, len(BODY)), st.integers(0, 9), st.binary(max_size=9)), max_size=4))
def test_a_form_with_faults_is_an_upload_or_a_refusal(faults: list[tuple[int, int, bytes]]) -> None:
    body = BODY
    for place, length, instead in faults:
        body = body[:place] + instead + body[place + length :]
    assert outcome(body) in ("an upload", 400, 413, 422)
