"""Around every request and stream: an id, security headers, one line in the log, no fault that goes out unwrapped."""

import asyncio
import logging
import re
import uuid
from contextlib import suppress
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from emolens.serving import errors
from emolens.serving.errors import RequestError
from emolens.serving.logs import LOGGER
from emolens.serving.metrics import Metrics

_LOG = logging.getLogger(LOGGER)
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)

# What nginx and others call the status of a request whose client left before the answer.
CLIENT_GONE = 499
_STREAMED = 101

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_SERVED = ("http", "websocket")
_BEGINNINGS = ("http.response.start", "websocket.http.response.start", "websocket.accept")
_FAULT = 1011  # RFC 6455
_FAREWELL_SECONDS = 5.0


class Envelope:
    """ASGI middleware, outside of everything else.

    What handlers add to `scope["state"]["milliseconds"]`, a dict, is logged with the time of the whole; what streams
    add to `scope["state"]["stream"]` is logged as it is.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _SERVED:
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _ID.fullmatch(asked) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state.update(request_id=request_id, milliseconds={}, key=None, stream={})
        status = CLIENT_GONE

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] in _BEGINNINGS:
                status = message.get("status", _STREAMED)
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_wrapped)
        finally:
            seconds = perf_counter() - start
            # The pattern, and not what a client has made up, since paths name the lines of the metrics.
            path = getattr(scope.get("route"), "path", "other")
            streamed = status == _STREAMED
            if not streamed:
                self.metrics.answered(path, status, seconds, state["milliseconds"])
            steps = {**state["milliseconds"], "total": 1e3 * seconds}
            fields = {
                "request_id": request_id,
                "method": scope.get("method", "GET"),
                "path": path,
                "status": status,
                "milliseconds": {step: round(value, 2) for step, value in steps.items()},
                **state["stream"],
            }
            fields |= {"key": state["key"]} if state["key"] else {}
            _LOG.info("stream" if streamed else "request", extra={"fields": fields})


class Faults:
    """ASGI middleware, inside of what adds headers: answers a fault of ours, a stream to nowhere, a doubtful length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _SERVED:
            await self.app(scope, receive, send)
            return
        request_id = scope["state"]["request_id"]
        begun = False

        async def answer(error: RequestError) -> None:
            content = errors.body(error, request_id)
            await JSONResponse(content, error.status, headers=error.headers)(scope, receive, send_watched)

        async def send_watched(message: Message) -> None:
            nonlocal begun
            if message["type"] == "websocket.close" and not begun:
                await answer(errors.from_status(404))  # the framework's word for an address that is no stream
                return
            begun = begun or message["type"] in _BEGINNINGS
            try:
                await send(message)
            except OSError as error:
                raise ClientDisconnect from error

        names = {name for name, _ in scope["headers"]}
        if {b"content-length", b"transfer-encoding"} <= names:
            # What stands in front of the server may go by the other one, and see another request begin (RFC 9112, 6.3).
            message = "the length of the body is told in two ways; send Content-Length or Transfer-Encoding"
            await answer(RequestError(400, "bad_request", message, {"Connection": "close"}))
            return
        try:
            await self.app(scope, receive, send_watched)
        except (ClientDisconnect, WebSocketDisconnect):
            pass  # nobody is there to be told
        except Exception:
            _LOG.exception("fault", extra={"fields": {"request_id": request_id}})
            if not begun:
                await answer(errors.internal())
            elif scope["type"] == "websocket":
                with suppress(TimeoutError):
                    async with asyncio.timeout(_FAREWELL_SECONDS):
                        await send({"type": "websocket.close", "code": _FAULT})
            else:
                raise  # the answer has begun, and can only be broken off
