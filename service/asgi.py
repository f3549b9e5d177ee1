"""Composition root of the web process: webhooks and public pages in one ASGI app."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.actions.receive_texts import receive_texts
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.bootstrap import open_runtime, spare_what_stands
from service.errors import PollwireError, SettingsError
from service.logs import Outage
from service.metrics import Metrics
from service.runtime import Runtime
from service.settings import Settings, read_settings
from service.store.engine import is_hopeless
from service.store.inbound import ReceivedText
from service.store.inbound import Response as Answer
from service.web.assets import Assets
from service.web.ops import Operations
from service.web.public.routes import PublicPages
from service.web.security import SecurityHeaders
from service.web.templating import Templates
from service.worker import run_worker
from webhooks.batch import Batcher, Committing
from webhooks.door import Door, Handle
from webhooks.inbound import InboundEndpoint
from webhooks.signature import SignatureCheck
from webhooks.status import StatusEndpoint

_log = logging.getLogger(__name__)

_WEBHOOKS = "/webhooks/twilio/"
_INBOUND, _STATUS = "inbound", "status"


def create_app(settings: Settings | None = None, *, with_worker: bool = False) -> "_App":
    """The whole web process; its lifespan opens and closes what it needs.

    Args:
        settings: read from the environment where left out.
        with_worker: do the background's work in this process too.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    known = settings or read_settings()
    if not known.auth_tokens:
        raise SettingsError("TWILIO_AUTH_TOKEN is not set: no webhook could be verified")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert isinstance(app, _App)  # noqa: S101  (the shell below)
        async with open_runtime(known) as runtime:
            ingest = _install(app, runtime, known.auth_tokens)
            spare_what_stands()
            async with _serving(runtime, ingest, with_worker=with_worker):
                yield

    return _make_shell(lifespan)


def build_app(runtime: Runtime, auth_tokens: Sequence[str], *, with_worker: bool = False) -> "_App":
    """The same around a runtime that the caller opens and closes; it answers without a lifespan.

    Args:
        auth_tokens: that webhooks may be signed with.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _serving(runtime, ingest, with_worker=with_worker):
            yield

    app = _make_shell(lifespan)
    ingest = _install(app, runtime, auth_tokens)
    return app


def _make_shell(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> "_App":
    """What stands before there is a runtime; middleware cannot be added after the start."""
    app = _App(title="pollwire", lifespan=lifespan, openapi_url=None)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(_RefusedStart)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _log.error("%s failed: %s", request.url.path, type(error).__name__)
        return PlainTextResponse("failed, try again\n", 503, {"Retry-After": "1"})

    @app.exception_handler(404)
    async def missing(request: Request, error: Exception) -> Response:
        pages: PublicPages = request.app.state.pages
        return await pages.missing(request)

    return app


class _App(FastAPI):
    """Pages by the framework; webhooks go to their door first."""

    door: Door | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.door is not None and self.door.leads_to(scope.get("path")):
            await self.door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _RefusedStart:
    """A start that settings or database forbid is told in one line, without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        refusal: list[str] = []

        async def tell(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                refusal.append(message["message"])
            else:
                await send(message)

        try:
            await self._app(scope, receive, tell)
        except PollwireError as error:
            await send({"type": "lifespan.startup.failed", "message": f"error: {error}"})
        except BaseException:
            for traceback in refusal:
                await send({"type": "lifespan.startup.failed", "message": traceback})
            raise


@dataclass(frozen=True)
class _Ingest:
    """The queues in which webhooks wait for their transaction."""

    texts: Batcher[ReceivedText, Answer]
    receipts: Batcher[ReceivedReceipt, None]


def _install(app: _App, runtime: Runtime, auth_tokens: Sequence[str]) -> _Ingest:
    """Everything the process answers, on this runtime."""
    metrics = Metrics()
    ingest = _make_ingest(runtime, metrics)
    check = SignatureCheck(runtime.public_base_url, auth_tokens)
    inbound = InboundEndpoint(check, ingest.texts, runtime.status_callback)
    status = StatusEndpoint(check, ingest.receipts)
    assets = Assets()
    pages = PublicPages(runtime, Templates(assets))
    operations = Operations(runtime, metrics, {_INBOUND: ingest.texts, _STATUS: ingest.receipts})
    app.state.runtime, app.state.pages = runtime, pages
    app.door = _make_door({_INBOUND: inbound.handle, _STATUS: status.handle}, metrics)
    app.router.routes.extend(
        [
            *operations.routes(),
            *pages.routes(),
            *assets.routes(),
        ]
    )
    return ingest


def _make_door(endpoints: Mapping[str, Handle], metrics: Metrics) -> Door:
    """The webhooks by name; the time of every answer is taken, failures too."""
    names = {f"{_WEBHOOKS}{name}": name for name in endpoints}
    outage = Outage(_log)
    return Door(
        {path: endpoints[name] for path, name in names.items()},
        observe=lambda path, status, seconds: metrics.observe_request(names[path], status, seconds),
        failed=lambda path, error: outage.note(error, names[path]),
        succeeded=lambda path: outage.ended(),
    )


def _make_ingest(runtime: Runtime, metrics: Metrics) -> _Ingest:
    async def texts(batch: Sequence[ReceivedText], committing: Committing) -> Sequence[Answer]:
        answers = await receive_texts(runtime, batch, committing=committing)
        metrics.count_texts_in(answer.label for answer in answers)
        return answers

    async def receipts(batch: Sequence[ReceivedReceipt], committing: Committing) -> Sequence[None]:
        return await record_receipts(runtime, batch, committing=committing)

    return _Ingest(
        Batcher(
            texts,
            key=lambda text: text.number,
            observe=partial(metrics.observe_batch, _INBOUND),
            hopeless=is_hopeless,
        ),
        Batcher(
            receipts,
            key=lambda receipt: receipt.message_sid,
            observe=partial(metrics.observe_batch, _STATUS),
            hopeless=is_hopeless,
        ),
    )


@asynccontextmanager
async def _serving(runtime: Runtime, ingest: _Ingest, *, with_worker: bool) -> AsyncIterator[None]:
    """While requests come; whatever was taken in is finished at the end."""
    async with AsyncExitStack() as background:
        if with_worker:
            await background.enter_async_context(_working(runtime))
        yield
        await ingest.texts.drain()
        await ingest.receipts.drain()


@asynccontextmanager
async def _working(runtime: Runtime) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(runtime, stop))
    try:
        yield
    finally:
        stop.set()
        await worker
