"""Alerts are posted once each, signed, and what was not taken is known."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web

from service.errors import NotifyError
from service.notify import SIGNATURE_HEADER, WebhookNotifier, signature

NOW = datetime(2026, 3, 3, 17, tzinfo=UTC)


class Receiver:
    """An address that answers as told, and remembers what it was sent."""

    def __init__(self) -> None:
        self.status = 204
        self.hangs = False
        self.posted: list[tuple[bytes, str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = request.headers
        self.posted.append(
            (await request.read(), headers[SIGNATURE_HEADER], headers["Content-Type"])
        )
        if self.hangs:
            await asyncio.sleep(60)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, WebhookNotifier]]:
    stand_in = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", stand_in.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?token=secret"
    notifier = WebhookNotifier(url, b"key")
    yield stand_in, notifier
    await notifier.close()
    await runner.cleanup()


async def test_an_alert_is_posted_as_json_under_a_signature(
    receiver: tuple[Receiver, WebhookNotifier],
) -> None:
    stand_in, notifier = receiver
    await notifier.post({"id": 1, "sentence": "¿Qué?"}, NOW)
    ((body, signed, content_type),) = stand_in.posted
    assert json.loads(body) == {"id": 1, "sentence": "¿Qué?"}
    assert content_type == "application/json"
    time = int(NOW.timestamp())
    expected = hmac.new(b"key", f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    assert signed == f"t={time},v1={expected}" == signature(b"key", body, NOW)


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
async def test_any_other_answer_is_a_failure_and_is_not_followed(
    receiver: tuple[Receiver, WebhookNotifier], status: int
) -> None:
    stand_in, notifier = receiver
    stand_in.status = status
    with pytest.raises(NotifyError, match=str(status)):
        await notifier.post({"id": 1}, NOW)
    assert len(stand_in.posted) == 1


async def test_a_silent_address_is_given_up_and_never_named(
    receiver: tuple[Receiver, WebhookNotifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    from service import notify

    monkeypatch.setattr(notify, "TIMEOUT_SECONDS", 0.2)
    stand_in, silent = receiver
    stand_in.hangs = True
    hasty = WebhookNotifier(silent._url, b"key")
    with pytest.raises(NotifyError) as raised:
        await hasty.post({"id": 1}, NOW)
    assert "secret" not in str(raised.value)
    await hasty.close()
    gone = WebhookNotifier("http://127.0.0.1:9/hook?token=secret", b"key")
    with pytest.raises(NotifyError) as raised:
        await gone.post({"id": 1}, NOW)
    assert "secret" not in str(raised.value)
    await gone.close()
