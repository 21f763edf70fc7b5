"""The WebSocket protocol of uvicorn, which a hostile client cannot hold, fill or make talk out of shape."""

import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from emolens.serving.errors import RequestError, from_status, overloaded, raw
from emolens.serving.logs import SOCKETS

_FAREWELL_SECONDS = 5.0

# Empty fragments have no bytes that a limit of bytes would count, and take memory all the same.
_FRAGMENTS = 1024


class StreamProtocol(WebSocketsSansIOProtocol):
    """Answers broken handshakes in our shape, bounds what a message may cost, and ends when it is over.

    The bytes of a message are bounded by `ws_max_size`. uvicorn's own lines in the log, which are silenced, would have
    addresses and queries.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = logging.getLogger(SOCKETS)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:  # the head comes in one piece from the HTTP protocol, which has read it
            self._refuse(RequestError(400, "bad_request", "this is no WebSocket handshake that can be read"))

    def handle_connect(self, event: Request) -> None:
        response = self.conn.accept(event)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self.handshake_initiated = True
            self._refuse(from_status(response.status_code))

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > _FRAGMENTS:
            self.frames = []
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()

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
