"""The HTTP/1.1 protocol of uvicorn, patient up to a point, full at some point, and in our shape where it is no HTTP."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emolens.serving.crumbs import Crumbs
from emolens.serving.errors import RequestError, overloaded, raw

# A refused client has as long to read why; were the connection cut while it still sends, it would not come to that.
_FAREWELL_SECONDS = 1.0
_FAREWELLS = 64

_HEAD_BYTES = 16 * 1024
_HEADERS = 128

_ANSWERABLE = (h11.IDLE, h11.SEND_RESPONSE)


class _Connection(h11.Connection):
    """Takes no head of very many lines and no body of crumbs."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._crumbs = Crumbs()
            if len(event.headers) > _HEADERS:
                raise h11.RemoteProtocolError("too many headers")
        elif isinstance(event, h11.Data) and self._crumbs.too_many(1, len(event.data)):
            raise h11.RemoteProtocolError("a body of crumbs")
        return event


class PatientProtocol(H11Protocol):
    """Closes a connection on which no request begins in time, whose answer is not read, or which is one too many.

    uvicorn's own time-out, `timeout_keep_alive`, is for silence between requests alone; this one goes by the same
    number, and also covers connections that say nothing at all, heads that come byte by byte, the rest of a body
    that has been refused, and answers that the client does not take. `limit_concurrency` is the number of connections.
    """

    _leaving: ClassVar[set["PatientProtocol"]] = set()
    _refused = False
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _Connection(h11.SERVER, _HEAD_BYTES)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        most, self.limit_concurrency = self.limit_concurrency, None  # uvicorn's own way waits for the request
        if most is not None and len(self.connections) > most:
            self._refuse(overloaded("too_many_connections", "as many connections as the server takes are open"))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        self._leaving.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._stop_waiting()
            self.cycle.transport = _Answering(self)  # type: ignore[assignment]  # which has all that it asks for

    def on_response_complete(self) -> None:
        self._expect_head()
        super().on_response_complete()  # it may begin the next request, which stops the clock again

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's message)
        self._refuse(RequestError(400, "bad_request", "this is no HTTP request that can be read"))

    def end_answer(self) -> None:
        """Closes the connection, but not under a client who still sends and would lose the answer (RFC 9112, 9.6)."""
        if self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
            self._refused = True  # what still comes is passed over, for as long as on a connection that stays open
            with suppress(OSError):
                self.transport.write_eof()
        else:
            self.transport.close()

    def _refuse(self, error: RequestError) -> None:
        self._refused = True
        self._stop_waiting()
        self.connections.discard(self)
        if self.cycle is not None:  # nobody will be there for the answer that is being made
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in _ANSWERABLE:
            self.transport.write(raw(error))
        if self.conn.our_state in _ANSWERABLE and len(self._leaving) < _FAREWELLS:
            self._leaving.add(self)
            self._deadline = self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)
            with suppress(OSError):  # the client may be gone already
                self.transport.write_eof()
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Answering:
    """The transport as an answer has it, which closes it when it has ended."""

    def __init__(self, protocol: PatientProtocol) -> None:
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol.transport, name)

    def close(self) -> None:
        self._protocol.end_answer()
