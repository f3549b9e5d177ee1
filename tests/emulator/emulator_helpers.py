"""What the tests of the emulator share: a product to post to, a handle on an emulator."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from aiohttp import web
from fastapi import FastAPI

from emulator.settings import Settings

ACCOUNT = "AC" + "5" * 32
TOKEN = "12345"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
NUMBER = "+13035550100"

Form = dict[str, str]
Answer = tuple[int, str, str]


def twiml(*bodies: str, callback: str = "") -> Answer:
    attribute = f' statusCallback="{callback}"' if callback else ""
    messages = "".join(f"<Message{attribute}>{body}</Message>" for body in bodies)
    return 200, "text/xml", f"<Response>{messages}</Response>"


class Product:
    """Keeps what was posted; ``answer`` decides what inbound texts are answered."""

    def __init__(self) -> None:
        self.inbound: list[tuple[Form, dict[str, str]]] = []
        self.fallback: list[Form] = []
        self.receipts: list[tuple[str, Form, dict[str, str]]] = []
        self.answer: Callable[[Form], Answer] = lambda form: twiml()
        self.base_url = ""
        self._changed = asyncio.Condition()

    @property
    def inbound_url(self) -> str:
        return f"{self.base_url}/inbound"

    @property
    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for _, form, _ in self.receipts]

    async def wait_for(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(holds), 5)

    async def _note(self, kept: Callable[[], None]) -> None:
        async with self._changed:
            kept()
            self._changed.notify_all()

    async def handle(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        headers = dict(request.headers)
        if request.path == "/status":
            await self._note(lambda: self.receipts.append((str(request.rel_url), form, headers)))
            return web.Response(status=204)
        if request.path == "/fallback":
            await self._note(lambda: self.fallback.append(form))
            return _response(twiml("from the fallback"))
        await self._note(lambda: self.inbound.append((form, headers)))
        return _response(self.answer(form))


def _response(answer: Answer) -> web.Response:
    status, content_type, text = answer
    headers = {"Content-Type": content_type} if content_type else {}
    return web.Response(status=status, body=text.encode(), headers=headers)


async def serve(product: Product, port: int = 0) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", product.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner


@dataclass
class Emulator:
    """A running emulator and a client of it."""

    http: httpx.AsyncClient
    settings: Settings
    app: FastAPI

    async def text(self, body: str, number: str = NUMBER, **more: object) -> dict:
        answer = await self.http.post(
            f"/emulator/phones/{number}/texts", json={"body": body, **more}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def create(self, **fields: str) -> httpx.Response:
        given = {"To": NUMBER, "From": "33550", "Body": "Hello"} | {
            key[0].upper() + key[1:]: value for key, value in fields.items()
        }
        return await self.http.post(
            f"{MESSAGES}.json", data={key: value for key, value in given.items() if value}
        )

    async def phone(self, number: str = NUMBER) -> dict:
        return (await self.http.get(f"/emulator/phones/{number}")).json()

    async def log(self, after: int = 0) -> dict:
        return (await self.http.get("/emulator/log", params={"after": after})).json()
