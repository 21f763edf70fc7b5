"""The HTTP/1.1 protocol of uvicorn, with a time-out for the head of a request, and our shape for what is no HTTP."""

import asyncio
import json
import uuid
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emolens.serving import errors


class PatientProtocol(H11Protocol):
    """Closes a connection on which no request begins in time.

    uvicorn's own time-out, `timeout_keep_alive`, is for silence between requests alone; this one goes by the same
    number, and also covers connections that say nothing at all, heads that come byte by byte, and the rest of a body
    that has been refused.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        self._expect_head()
        super().on_response_complete()  # it may begin the next request, which stops the clock again

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's message)
        error = errors.RequestError(400, "bad_request", "this is no HTTP request that can be read")
        request_id = uuid.uuid4().hex
        content = json.dumps(errors.body(error, request_id)).encode()
        headers = {"Content-Type": "application/json", "Content-Length": len(content), "Connection": "close"}
        head = [(name, str(value)) for name, value in (headers | {"X-Request-ID": request_id}).items()]
        events = (h11.Response(status_code=400, headers=head), h11.Data(data=content), h11.EndOfMessage())
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _expect_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
