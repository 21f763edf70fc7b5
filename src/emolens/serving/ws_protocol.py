"""The WebSocket protocol of uvicorn, which a hostile client cannot hold, fill or make talk out of shape."""

import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

from emolens.serving.crumbs import Crumbs
from emolens.serving.errors import RequestError, from_status, overloaded, raw
from emolens.serving.logs import SOCKETS

_FAREWELL_SECONDS = 5.0

# Of what came at once, so that crumbs are noticed before all of them have been read.
_SLICE = 8 * 1024


class StreamProtocol(WebSocketsSansIOProtocol):
    """Answers broken handshakes in our shape, takes no crumbs, and ends when it is over.

    The bytes of a message are bounded by `ws_max_size`. uvicorn's own lines in the log, which are silenced, would have
    addresses and queries.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = self.conn.logger = logging.getLogger(SOCKETS)
        self._crumbs, self._arrived = Crumbs(), 0

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            if not self.transport.is_closing():
                piece = data[start : start + _SLICE]
                self._arrived = len(piece)
                super().data_received(piece)
        if not self.handshake_initiated:  # the head comes in one piece from the HTTP protocol, which has read it
            self._refuse(RequestError(400, "bad_request", "this is no WebSocket handshake that can be read"))

    def handle_connect(self, event: Request) -> None:
        response = self.conn.accept(event)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self.handshake_initiated = True
            self._refuse(from_status(response.status_code))

    def handle_events(self) -> None:
        if self._crumbs.too_many(len(self.conn.events), self._arrived):
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames that are tiny")
            self.handle_parser_exception()
        else:
            super().handle_events()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # which uvicorn forgets, and then reports a fault

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # pongs that are not taken do not pile up

    def shutdown(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def send_500_response(self) -> None:
        if not (self.initial_response or self.handshake_complete):
            self._refuse(overloaded("not_ready", "the server is stopping"))

    async def run_asgi(self) -> None:
        await super().run_asgi()
        # What the client does not read would else keep a connection that has been closed.
        self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)

    def _refuse(self, error: RequestError) -> None:
        self.handshake_complete = self.close_sent = True
        self.transport.write(raw(error))
        self.transport.close()
