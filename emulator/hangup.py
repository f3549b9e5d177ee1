"""Closing a connection without an answer, as a server does that falls over.

An ASGI app cannot do so by itself; the server lends it a hand through an extension
of the request's scope.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

EXTENSION: Final = "emulator.hang_up"
_App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class HangUpProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, whose requests can close their connection."""

    app: _App
    transport: asyncio.Transport

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        app = self.app

        async def lent(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = {"abort": self.transport.abort}
            await app(scope, receive, send)

        self.app = lent


class Dropped(Response):
    """No answer at all: the connection is closed.

    Raises:
        ConnectionResetError: when sent, by a server that cannot close it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes the connection and waits until it is gone."""
        extension = scope.get("extensions", {}).get(EXTENSION)
        if extension is None:
            raise ConnectionResetError("the emulator hung up")
        extension["abort"]()
        await _gone(receive)


async def first_of(request: Request, ends: Awaitable[None]) -> None:
    """Returns when the client has given up waiting, or when ``ends`` does."""
    tasks = [asyncio.ensure_future(ends), asyncio.ensure_future(_gone(request.receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
