"""Connections as the server takes them: so many at once, and each says within a time what it wants.

uvicorn limits neither: a program that sends half a request's head and no more would hold a connection for ever. A body has its own limit in
`app`. A stream's pieces are written by the connection itself (`piece`), without a way through all layers for each.
"""

import asyncio
from typing import Any, Final

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 15.0
"""From a connection's beginning, or a further request's first byte, to the end of its head."""
MOST: Final = 512
"""Connections at once; more than are ever worked on."""
CONNECTION: Final = "assay.connection"
"""Where an application finds the connection of a request, in its scope."""


class Connection(H11Protocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    most = MOST
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app: ASGIApp = _Known(self.app, self)
        if len(self.connections) > self.most:
            transport.close()
            return
        self._begin()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._end()
        elif self.conn.trailing_data[0]:
            self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._begin()  # the next request's head has come in part, behind the last one's body

    def piece(self, data: bytes) -> bool:
        """Write a part of a body that has no given length, if it can go at once; the body has begun, and nothing else is on its way."""
        if not data or self.transport.is_closing():
            return True  # nobody reads it any more, as uvicorn sees it too
        if self.flow.write_paused or self.conn.our_state is not h11.SEND_BODY or self.conn.their_http_version != b"1.1":
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def _begin(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.head_seconds, self._too_slow)

    def _end(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            headers: Any = [(b"content-length", b"0"), (b"connection", b"close")]
            for event in (
                h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Known:
    """The application, told which connection a request came by."""

    def __init__(self, app: ASGIApp, connection: Connection) -> None:
        self._app, self._connection = app, connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[CONNECTION] = self._connection
        await self._app(scope, receive, send)
