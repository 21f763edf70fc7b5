"""A stream: frames in, predictions out, the newest frame first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, Never

from fastapi import APIRouter, Depends, Query, WebSocket
from starlette.requests import ClientDisconnect

from emolens.errors import ImageError
from emolens.results import Prediction
from emolens.serving.access import entered
from emolens.serving.cors import check_origin
from emolens.serving.errors import RequestError, body, from_error, overloaded
from emolens.serving.newest import Frame, Newest
from emolens.serving.schemas import ImageAnswer, Options
from emolens.serving.services import Services
from emolens.serving.tracking import Tracker

# RFC 6455, section 7.4.1.
_UNSUPPORTED, _CUT_OFF, _BREACH = 1003, 1006, 1008


@dataclass(frozen=True)
class _End:
    """How a stream ends; without a reason where nobody is to be told."""

    code: int
    reason: str | None = None


def stream_routes(services: Services) -> APIRouter:
    router = APIRouter()
    origins = services.settings.origins()

    async def check(socket: WebSocket) -> AsyncIterator[None]:
        check_origin(socket, origins)
        with entered(socket, services.keys):
            yield

    @router.websocket("/stream", dependencies=[Depends(check)])
    async def stream(socket: WebSocket, options: Annotated[Options, Query()]) -> None:
        model = services.model(options.model)
        await services.policies.find(options.policy)
        with services.gate.streaming(), services.gate.holding() as held:
            newest = Newest(held)
            code = None
            try:
                code = await _Stream(services, socket, options, model, newest).run()
            finally:
                services.metrics.frames.labels("dropped").inc(newest.dropped)
                socket.state.stream |= {"frames": newest.received, "dropped": newest.dropped, "code": code}

    return router


class _Stream:
    """One client's frames and their answers."""

    def __init__(self, services: Services, socket: WebSocket, options: Options, model: str, newest: Newest) -> None:
        self._services, self._socket, self._options, self._model = services, socket, options, model
        self._newest, self._tracker = newest, Tracker()
        self._told_dropped = 0

    async def run(self) -> int:
        """Until the client leaves, sends what is no frame, falls silent, or does not take its answers.

        Returns:
            The code with which it ends.
        """
        await self._socket.accept()
        tasks: list[asyncio.Task[_End]] = [asyncio.ensure_future(step) for step in (self._receive(), self._answer())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            end = next(iter(done)).result()
            if end.reason is not None:
                await self._within_time(self._socket.close(end.code, end.reason))
            return end.code
        except (ClientDisconnect, TimeoutError):  # answers are not taken, so that no farewell would be
            return _CUT_OFF
        finally:
            for task in tasks:
                task.cancel()
            # `gather` would forget by whom this task is cancelled, if it is meanwhile.
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled():
                    task.exception()  # nobody else asks

    async def _receive(self) -> _End:
        seconds = self._services.settings.stream_seconds
        while True:
            try:
                async with asyncio.timeout(seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                return _End(_BREACH, f"no frame has come for {seconds} seconds")
            if message["type"] == "websocket.disconnect":
                return _End(message["code"])
            if message.get("bytes") is None:
                return _End(_UNSUPPORTED, "send each frame as a binary message: an image file")
            self._newest.offer(message["bytes"])

    async def _answer(self) -> Never:
        while True:
            await self._newest.arrival()
            await self._pace()
            with self._newest.taken() as frame:
                said = await self._read(frame)
            dropped, self._told_dropped = self._newest.dropped - self._told_dropped, self._newest.dropped
            await self._within_time(self._socket.send_json({**said, "frame": frame.number, "dropped": dropped}))

    async def _pace(self) -> None:
        """While the key has had its requests of this second; the frame that waits may be replaced meanwhile."""
        if (key := self._socket.state.key) is not None:
            while seconds := self._services.keys.quotas.take(key):
                await asyncio.sleep(seconds)

    async def _read(self, frame: Frame) -> dict[str, Any]:
        request_id = self._socket.state.request_id
        try:
            prediction = await self._predict(frame)
        except (ImageError, RequestError) as error:
            self._services.metrics.frames.labels("refused").inc()
            return body(from_error(error), request_id)
        self._services.metrics.frames.labels("answered").inc()
        said = ImageAnswer.of(prediction, self._options)
        # In parts of the frame, so that a camera may change its resolution.
        w, h = prediction.width, prediction.height
        boxes = [(face.box[0] / w, face.box[1] / h, face.box[2] / w, face.box[3] / h) for face in prediction.faces]
        ids = self._tracker.assign(boxes)
        faces = [{"id": number, **face} for number, face in zip(ids, said["faces"], strict=True)]
        return {"status": "success", **said, "faces": faces, "request_id": request_id}

    async def _predict(self, frame: Frame) -> Prediction:
        if isinstance(frame.content, RequestError):
            raise frame.content
        services = self._services
        policy = await services.policies.find(self._options.policy)
        with services.gate.admitted(1):
            try:
                async with asyncio.timeout(services.settings.deadline):
                    return await services.engine.predict(frame.content, self._model, policy, self._options.threshold)
            except TimeoutError:
                raise overloaded("deadline", "no answer was found in time") from None

    async def _within_time(self, sending: Awaitable[None]) -> None:
        async with asyncio.timeout(self._services.settings.idle_seconds):
            await sending
