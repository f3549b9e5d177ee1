"""What every page tells the browser to allow."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.web.security import SecurityHeaders


@pytest.mark.parametrize("path", ["/", "/terms", "/nowhere", "/static/0/app.css", "/healthz"])
async def test_every_answer_to_a_browser_is_guarded(path: str, client: httpx.AsyncClient) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "set-cookie" not in headers


async def test_webhooks_are_left_alone(client: httpx.AsyncClient) -> None:
    answer = await client.post("/webhooks/twilio/inbound", data={"MessageSid": "SM1"})
    assert answer.status_code == 403
    assert "content-security-policy" not in answer.headers


async def test_a_page_may_bring_a_policy_of_its_own() -> None:
    async def framed(request: Request) -> PlainTextResponse:
        own = {"content-security-policy": "frame-ancestors *"}
        return PlainTextResponse("framed", headers=own)

    app = SecurityHeaders(Starlette(routes=[Route("/embed", framed)]))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = (await client.get("/embed")).headers
    assert headers.get_list("content-security-policy") == ["frame-ancestors *"]
    assert headers["x-content-type-options"] == "nosniff"
