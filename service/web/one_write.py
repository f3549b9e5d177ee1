"""The server's connections, on which an answer leaves by one call of the system.

uvicorn writes the head and the body of an answer apart, and uvloop sends each at once. Where an
answer has a few hundred bytes, two calls and two packets are a good part of what it costs.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MUCH = 16 * 1024
"""Bytes; to join these saves nothing, and the transport's flow control has to know of them."""


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol on a transport that joins what is written in one turn of the loop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._joined = _JoinedWrites(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", self._joined))

    def eof_received(self) -> None:
        """What is written must leave before the connection closes on a client that said its end."""
        self._joined.flush()
        super().eof_received()


class _JoinedWrites:
    """A transport whose writes wait for the end of the turn; all else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send ``data`` soon, with what else is written until then; at once where it is much."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes > _MUCH:
            self.flush()

    def close(self) -> None:
        """Send what waits, and close."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            self._transport.write(data)
