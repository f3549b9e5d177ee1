"""A reader of pages: the whole app around the test's runtime, asked without a network."""

from collections.abc import AsyncIterator

import httpx
import pytest

from service.asgi import build_app
from service.runtime import Runtime

TOKEN = "the auth token of the tests"


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the app."""
    transport = httpx.ASGITransport(app=build_app(runtime, [TOKEN]))
    async with httpx.AsyncClient(transport=transport, base_url=runtime.public_base_url) as client:
        yield client
