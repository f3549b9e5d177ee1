"""A product's webhooks to post to, and emulators to drive."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
from emulator_helpers import ACCOUNT, TOKEN, Emulator, Product, serve

from emulator.app import create_app
from emulator.settings import Settings, Span


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    """A product that answers inbound texts as the test says."""
    product = Product()
    runner = await serve(product)
    host, port = runner.addresses[0][:2]
    product.base_url = f"http://{host}:{port}"
    yield product
    await runner.cleanup()


@pytest.fixture
async def emulate(product: Product) -> AsyncIterator[Callable[..., Awaitable[Emulator]]]:
    """Starts emulators in front of the product; settings are given by name."""
    standard = Settings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        inbound_url=product.inbound_url,
        receipt_seconds=Span(0.0, 0.01),
        answer_seconds=Span(0.0, 0.05),
        connect_retry_seconds=0.02,
        undelivered_share=0.0,
    )
    async with AsyncExitStack() as stack:

        async def start(**changes: object) -> Emulator:
            settings = replace(standard, **changes)
            app = create_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app, client=("127.0.0.1", 9)),
                base_url="http://emulator",
                auth=(ACCOUNT, TOKEN),
            )
            http = await stack.enter_async_context(client)
            return Emulator(http, settings, app)

        yield start
