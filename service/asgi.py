"""Composition root of the web process: webhooks and public pages in one FastAPI app."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.actions.receive_texts import receive_texts
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.bootstrap import open_runtime
from service.errors import SettingsError
from service.runtime import Runtime
from service.settings import Settings, read_settings
from service.store.inbound import ReceivedText
from service.store.inbound import Response as Answer
from service.worker import run_worker
from webhooks.batch import Batcher
from webhooks.inbound import InboundEndpoint
from webhooks.signature import SignatureCheck
from webhooks.status import StatusEndpoint

_log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, *, with_worker: bool = False) -> FastAPI:
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
        async with open_runtime(known) as runtime:
            texts, receipts = _batchers(runtime)
            check = SignatureCheck(known.public_base_url, known.auth_tokens)
            inbound = InboundEndpoint(check, texts, known.public_base_url)
            status = StatusEndpoint(check, receipts)
            app.state.runtime = runtime
            app.router.routes.extend(
                [
                    Route("/webhooks/twilio/inbound", inbound.handle, methods=["POST"]),
                    Route("/webhooks/twilio/status", status.handle, methods=["POST"]),
                ]
            )
            async with AsyncExitStack() as background:
                if with_worker:
                    await background.enter_async_context(_working(runtime))
                yield
                await texts.drain()
                await receipts.drain()

    app = FastAPI(title="pollwire", lifespan=lifespan, openapi_url=None)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _log.error("%s failed: %s", request.url.path, type(error).__name__)
        return PlainTextResponse("failed, try again\n", 503, {"Retry-After": "1"})

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


@asynccontextmanager
async def _working(runtime: Runtime) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(runtime, stop))
    try:
        yield
    finally:
        stop.set()
        await worker


def _batchers(
    runtime: Runtime,
) -> tuple[Batcher[ReceivedText, Answer], Batcher[ReceivedReceipt, None]]:
    async def texts(batch: Sequence[ReceivedText]) -> Sequence[Answer]:
        return await receive_texts(runtime, batch)

    async def receipts(batch: Sequence[ReceivedReceipt]) -> Sequence[None]:
        return await record_receipts(runtime, batch)

    return (
        Batcher(texts, key=lambda text: text.number),
        Batcher(receipts, key=lambda receipt: receipt.message_sid),
    )
