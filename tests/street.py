"""Product and emulator in the test's own event loop, each on a port, with one clock for both."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from emulator.app import create_app
from emulator.settings import OptoutMode, Settings, Span
from service.asgi import build_app
from service.runtime import Runtime
from service.sms.twilio import TwilioGateway
from tests.make import run_background

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"


@asynccontextmanager
async def serving(app: ASGIApp, port: int, *, lifespan: bool) -> AsyncIterator[None]:
    """An application on a port of this machine."""
    config = uvicorn.Config(
        app, port=port, log_config=None, access_log=False, lifespan="on" if lifespan else "off"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  (uvicorn offers nothing to wait for)
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await task


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Street:
    """Members' phones on one side, the product on the other."""

    runtime: Runtime
    http: httpx.AsyncClient
    web_port: int

    @asynccontextmanager
    async def web(self) -> AsyncIterator[None]:
        """While the web process is up; outside, webhooks get lost."""
        app = build_app(self.runtime, [TOKEN])
        async with serving(app, self.web_port, lifespan=False):
            yield

    async def type(self, number: str, body: str, **details: Any) -> dict[str, Any]:
        """Somebody texts."""
        path = f"/emulator/phones/{number}/texts"
        answer = await self.http.post(path, json={"body": body, **details})
        return dict(answer.raise_for_status().json())

    async def screen(self, number: str) -> list[str]:
        """What arrived on a phone, oldest first."""
        texts = (await self.http.get(f"/emulator/phones/{number}")).json()["texts"]
        return [text["body"] for text in texts if text["direction"] == "received"]

    async def settle(self) -> None:
        """Until what is due has been done and every receipt has come."""
        await run_background(self.runtime)
        while True:
            crowd = (await self.http.get("/emulator/crowd")).json()
            if not crowd["in_transit"] and not crowd["receipts_waiting"]:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_street(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptoutMode, **settings: Any
) -> AsyncIterator[Street]:
    """The emulator in front of ``runtime``, whose gateway becomes the real one."""

    class SharedClock:
        def __init__(self, offset_seconds: float) -> None:
            """The product's clock is the emulator's."""

        def now(self) -> float:
            return runtime.clock.now().timestamp()

    monkeypatch.setattr("emulator.app.Clock", SharedClock)
    emulator_port, web_port = free_port(), free_port()
    public = f"http://127.0.0.1:{web_port}"
    app = create_app(
        Settings(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            inbound_url=f"{public}/webhooks/twilio/inbound",
            optout_mode=mode,
            receipt_seconds=Span(0.0, 0.02),
            connect_retries=0,
            undelivered_share=0.0,
            **settings,
        )
    )
    base = f"http://127.0.0.1:{emulator_port}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(app, emulator_port, lifespan=True))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=base))
        gateway = TwilioGateway(ACCOUNT, ACCOUNT, TOKEN, base_url=base, connections=25)
        stack.push_async_callback(gateway.close)
        yield Street(replace(runtime, gateway=gateway, public_base_url=public), http, web_port)
