"""Around every request: an id, security headers, one line in the log, and no fault that goes out unwrapped."""

import json
import logging
import re
import uuid
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emolens.serving import errors
from emolens.serving.logs import LOGGER
from emolens.serving.metrics import Metrics

_LOG = logging.getLogger(LOGGER)
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)

# What nginx and others call the status of a request whose client left before the answer.
CLIENT_GONE = 499

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGES = ("/docs",)


class Envelope:
    """ASGI middleware, outside of everything else.

    What handlers add to `scope["state"]["milliseconds"]`, a dict, is logged with the time of the whole.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _ID.fullmatch(asked) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state.update(request_id=request_id, milliseconds={}, key=None)
        status = CLIENT_GONE

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] not in _PAGES:
                    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
            await send(message)

        try:
            await self.app(scope, receive, send_wrapped)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception:
            _LOG.exception("fault", extra={"fields": {"request_id": request_id}})
            if status != CLIENT_GONE:
                raise  # the answer has begun, and can only be broken off
            await _answer_fault(send_wrapped, request_id)
        finally:
            seconds = perf_counter() - start
            # The pattern, and not what a client has made up, since paths name the lines of the metrics.
            path = getattr(scope.get("route"), "path", "other")
            self.metrics.answered(path, status, seconds, state["milliseconds"])
            steps = {**state["milliseconds"], "total": 1e3 * seconds}
            fields = {
                "request_id": request_id,
                "method": scope["method"],
                "path": path,
                "status": status,
                "milliseconds": {step: round(value, 2) for step, value in steps.items()},
            }
            _LOG.info("request", extra={"fields": fields | ({"key": state["key"]} if state["key"] else {})})


async def _answer_fault(send: Send, request_id: str) -> None:
    error = errors.internal()
    content = json.dumps(errors.body(error, request_id)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
