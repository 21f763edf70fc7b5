"""Too much at once: who is answered, who is refused, and who leaves."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors import HeldUp
from pictures import picture
from server_process import until

FACE = (10, 20, 40, 50)
PNG = {"Content-Type": "image/png"}


def post(client: TestClient) -> Any:
    return client.post("/predict", content=picture(FACE), headers=PNG)


def posted() -> dict[str, Any]:
    """The scope of an image that is sent to the application without a client in between."""
    headers = [(b"content-type", b"image/png")]
    return {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}


def test_beyond_the_queue_the_answer_is_503_at_once_and_the_others_are_answered(
    serve: Callable[..., TestClient], held_up: HeldUp
) -> None:
    client = serve(held_up, queue=3, files=1, processes=1)
    with ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(post, client) for _ in range(3)]
        until(lambda: "emolens_images_waiting 3.0" in client.get("/metrics").text)
        refused = post(client)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["code"] == "overloaded"
        assert client.get("/health").status_code == 200
        held_up.free.set()
        assert [future.result().status_code for future in accepted] == [200] * 3
    assert post(client).status_code == 200


def test_beyond_the_queue_no_body_is_read(serve: Callable[..., TestClient], held_up: HeldUp) -> None:
    client = serve(held_up, queue=1, files=1)
    app: Any = client.app
    sent: list[Any] = []

    async def receive() -> Any:
        pytest.fail("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(post, client)
        until(lambda: held_up.begun == 1)
        asyncio.run(app(posted(), receive, send))
        held_up.free.set()
    assert sent[0]["status"] == 503


def test_what_is_not_answered_in_time_is_given_up(serve: Callable[..., TestClient], held_up: HeldUp) -> None:
    client = serve(held_up, deadline=0.05)
    answer = post(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "deadline")
    assert "emolens_images_waiting 0.0" in client.get("/metrics").text


def test_a_client_that_leaves_leaves_the_queue(
    serve: Callable[..., TestClient], held_up: HeldUp, log: Callable[[], list[dict[str, Any]]]
) -> None:
    client = serve(held_up, processes=1)

    async def leave() -> None:
        """Posts an image that stays in the queue, and hangs up."""
        left = asyncio.Event()
        messages = iter([{"type": "http.request", "body": picture(FACE), "more_body": False}])

        async def receive() -> Any:
            message = next(messages, None)
            if message is None:
                await left.wait()
            return message or {"type": "http.disconnect"}

        async def send(_: Any) -> None:
            pytest.fail("there is nobody to answer")

        task = asyncio.ensure_future(client.app(posted(), receive, send))  # type: ignore[arg-type,call-arg]
        await asyncio.sleep(0.1)
        left.set()
        await asyncio.wait_for(task, 5)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, client)
        until(lambda: held_up.begun == 1)
        assert client.portal is not None
        client.portal.call(leave)
        held_up.free.set()
        assert first.result().status_code == 200
    assert held_up.begun == 1
    assert [line["status"] for line in log() if line["path"] == "/predict"] == [499, 200]
    assert "emolens_upload_bytes 0.0" in client.get("/metrics").text


def test_the_faces_of_concurrent_requests_share_a_call_of_the_model(
    serve: Callable[..., TestClient], held_up: HeldUp
) -> None:
    client = serve(held_up, processes=4, batch_wait=1000)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(post, client) for _ in range(4)]
        until(lambda: held_up.begun == 4)
        held_up.free.set()
        answers = [job.result().json() for job in jobs]
    assert [len(answer["faces"]) for answer in answers] == [1] * 4
    text = client.get("/metrics").text
    assert "emolens_batch_faces_count 1.0" in text
    assert "emolens_batch_faces_sum 4.0" in text


def test_a_client_that_leaves_while_it_sends_is_no_fault(
    serve: Callable[..., TestClient], log: Callable[[], list[dict[str, Any]]]
) -> None:
    app: Any = serve().app
    messages = iter([{"type": "http.request", "body": b"0", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(_: Any) -> None:
        pytest.fail("there is nobody to answer")

    asyncio.run(app(posted(), receive, send))
    assert [line.get("status") for line in log()] == [499]


def test_a_body_that_does_not_come_in_time_is_given_up(serve: Callable[..., TestClient]) -> None:
    app: Any = serve(upload_seconds=0.05).app
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(posted(), receive, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
