"""The real web application on the test's database, asked over ASGI, with signatures."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from service.asgi import create_app
from service.runtime import Runtime
from service.settings import Settings
from service.store import embedded
from tests.make import SENDER, a_number

BASE = "https://stat.example.org"
TOKEN = "12345"
INBOUND = "/webhooks/twilio/inbound"
STATUS = "/webhooks/twilio/status"


@dataclass
class Twilio:
    """Posts forms as Twilio does."""

    client: httpx.AsyncClient

    async def post(
        self, target: str, form: Mapping[str, str], *, signature: str | None = None
    ) -> httpx.Response:
        """A form with its signature, or with the one given."""
        if signature is None:
            signature = RequestValidator(TOKEN).compute_signature(BASE + target, dict(form))
        return await self.client.post(
            target,
            content=urlencode(form),
            headers={
                "X-Twilio-Signature": signature,
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    async def text(self, body: str, *, number: str = "", sid: str = "SM1", **more: str) -> str:
        """A member's text; gives the TwiML."""
        form = {"MessageSid": sid, "From": number or a_number(1), "To": SENDER, "Body": body}
        answer = await self.post(INBOUND, form | {"FromCity": ""} | more)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        return answer.text


def web_settings(server: embedded.EmbeddedServer, **more: object) -> Settings:
    """Settings of a web process on the test's database."""
    return Settings(
        database_url=server.url("pollwire").replace("+asyncpg", ""),
        public_base_url=BASE,
        number_key=SecretStr("tests"),
        twilio_auth_token=SecretStr(f"old-token, {TOKEN}"),
        twilio_api_base_url="http://127.0.0.1:9",
        **more,
    )


@pytest.fixture
async def twilio(runtime: Runtime, server: embedded.EmbeddedServer) -> AsyncIterator[Twilio]:
    """Twilio's side of the webhooks."""
    app = create_app(web_settings(server))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            yield Twilio(client)
