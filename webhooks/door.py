"""The door that webhooks come in by: from the server straight to their endpoint.

Plain ASGI, beside the framework that serves pages: in the ten minutes after a poll has opened,
what a framework does for each request is a good part of what a text costs.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from service.clock import Clock

Scope = Mapping[str, object]
Receive = Callable[[], Awaitable[Mapping[str, object]]]
Send = Callable[[dict[str, object]], Awaitable[None]]

LARGEST_BODY_BYTES = 64 * 1024
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_TRY_AGAIN = (b"retry-after", b"1")


class Posted(NamedTuple):
    """A request's parts.

    Attributes:
        target: raw path and query as received.
        signature: ``X-Twilio-Signature``, empty where missing.
    """

    target: bytes
    query: bytes
    signature: str
    body: bytes


class Reply(NamedTuple):
    """An answer: status, body, and headers besides the length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class RefusedError(Exception):
    """The request may not be acted on; ``reply`` says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.reply = said(status, sentence)


def said(status: int, sentence: str) -> Reply:
    """An answer in plain words."""
    return Reply(status, f"{sentence}\n".encode(), (_TEXT,))


def try_again(sentence: str) -> Reply:
    """503: nothing was stored, and Twilio should come again."""
    return Reply(503, f"{sentence}\n".encode(), (_TEXT, _TRY_AGAIN))


_ONLY_POST = Reply(405, b"only POST\n", (_TEXT, (b"allow", b"POST")))
Handle = Callable[[Posted], Awaitable[Reply]]


class Door:
    """Answers the webhooks' addresses.

    Args:
        endpoints: what answers each path, by POST.
        observe: told path, status and seconds of each answer.
        failed: told path and error where an endpoint failed; Twilio is asked to come again.
        succeeded: called after each answer that is no failure.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Handle],
        *,
        observe: Callable[[str, int, float], None],
        failed: Callable[[str, Exception], None],
        succeeded: Callable[[str], None],
    ) -> None:
        self._endpoints = endpoints
        self._observe = observe
        self._failed = failed
        self._succeeded = succeeded

    def leads_to(self, path: object) -> bool:
        """Whether ``path`` is a webhook's."""
        return path in self._endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = Clock.monotonic_seconds()
        path = str(scope["path"])
        if scope["method"] == "POST":
            reply = await self._answer(path, scope, receive)
            self._observe(path, reply.status, Clock.monotonic_seconds() - began)
        else:
            reply = _ONLY_POST
        await _send(send, reply)

    async def _answer(self, path: str, scope: Scope, receive: Receive) -> Reply:
        try:
            reply = await self._endpoints[path](await _read(scope, receive))
        except RefusedError as refused:
            return refused.reply
        except Exception as error:  # noqa: BLE001  (nothing was stored: Twilio tries again)
            self._failed(path, error)
            return try_again("failed, try again")
        self._succeeded(path)
        return reply


async def _read(scope: Scope, receive: Receive) -> Posted:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "the connection was lost")
        body += message.get("body", b"")  # type: ignore[operator]
        if len(body) > LARGEST_BODY_BYTES:
            raise RefusedError(413, "the form is too large")
        if not message.get("more_body"):
            break
    query: bytes = scope["query_string"]  # type: ignore[assignment]
    path = scope.get("raw_path") or str(scope["path"]).encode()
    path = path.split(b"?")[0]  # type: ignore[attr-defined]
    target = path + b"?" + query if query else path
    return Posted(target, query, _signature(scope), body)


def _signature(scope: Scope) -> str:
    headers: list[tuple[bytes, bytes]] = scope["headers"]  # type: ignore[assignment]
    for name, value in headers:
        if name == b"x-twilio-signature":
            return value.decode("latin-1")
    return ""


async def _send(send: Send, reply: Reply) -> None:
    headers = list(reply.headers)
    if reply.status != 204:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
