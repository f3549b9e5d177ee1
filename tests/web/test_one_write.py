"""An answer leaves by one call of the system, whole and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.web.one_write import OneWriteProtocol


class CountingProtocol(OneWriteProtocol):
    """Writes down what reaches the system's side of the transport."""

    sent: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        super().connection_made(cast("asyncio.Transport", _Counting(transport, type(self).sent)))


class _Counting:
    def __init__(self, transport: asyncio.BaseTransport, sent: list[bytes]) -> None:
        self._transport = transport
        self._sent = sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._sent.append(data)
        cast("asyncio.Transport", self._transport).write(data)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Plain, or in two pieces with a moment between."""
    if scope["type"] != "http":
        return
    request = Request(scope, receive)
    response: Response = PlainTextResponse(f"answer to {request.url.path}")
    if request.url.path == "/pieces":
        response = StreamingResponse(_pieces(), media_type="text/plain")
    if request.url.path == "/much":
        response = StreamingResponse(_much())
    await response(scope, receive, send)


async def _much() -> AsyncIterator[bytes]:
    for _ in range(4):
        yield b"x" * 10_000


async def _pieces() -> AsyncIterator[str]:
    yield "first,"
    await asyncio.sleep(0.01)
    yield "second"


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server; gives its port and what it has written."""
    CountingProtocol.sent = []
    config = uvicorn.Config(answer, lifespan="off", log_config=None, log_level="error")
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: CountingProtocol(config, ServerState(), {}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1], CountingProtocol.sent


async def ask(port: int, *paths: str) -> bytes:
    """Send requests one right behind the other, the last to close; gives all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in paths:
        last = "connection: close\r\n" if path == paths[-1] else ""
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n{last}\r\n".encode())
    got = await reader.read()
    writer.close()
    return got


async def test_head_and_body_leave_together() -> None:
    async with serving() as (port, sent):
        got = await ask(port, "/one")
    assert got.endswith(b"answer to /one")
    assert sent == [got]


async def test_answers_to_requests_in_line_come_in_order() -> None:
    async with serving() as (port, _):
        got = await ask(port, "/one", "/two", "/three")
    places = [got.index(f"answer to /{name}".encode()) for name in ("one", "two", "three")]
    assert places == sorted(places)


async def test_an_answer_in_pieces_does_not_wait_for_its_end() -> None:
    async with serving() as (port, sent):
        got = await ask(port, "/pieces")
    assert got.endswith(b"\r\n\r\n6\r\nfirst,\r\n6\r\nsecond\r\n0\r\n\r\n")
    assert len(sent) > 1
    assert sent[0].endswith(b"first,\r\n")


async def test_much_is_not_kept_back() -> None:
    async with serving() as (port, sent):
        got = await ask(port, "/much")
    assert got.count(b"x") >= 40_000
    assert max(map(len, sent)) < 40_000


async def test_a_client_that_said_its_end_gets_its_answer() -> None:
    async with serving() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /one HTTP/1.1\r\nhost: a\r\n\r\n")
        writer.write_eof()
        got = await reader.read()
        writer.close()
    assert got.endswith(b"answer to /one")
