"""The gateway on the SDK: one attempt, and every outcome told apart."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from service.errors import NotTakenError, RejectedError, SendError, UnknownOutcomeError
from service.sms.gateway import ListedText, OutboundText
from service.sms.twilio import TwilioGateway

TEXT = OutboundText("+13032000001", "Ready?", "33550", "https://stat.example.org/status?delivery=1")
ACCOUNT = "AC" + "0" * 32


class Api:
    """An API that answers as told, and remembers what it was sent."""

    def __init__(self) -> None:
        self.status = 201
        self.body: Any = {"sid": "SM1", "status": "queued"}
        self.headers: dict[str, str] = {}
        self.posted: list[dict[str, Any]] = []
        self.hang_up = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.posted.append(dict(await request.post()))
        if self.hang_up:
            assert request.transport is not None
            request.transport.close()
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, TwilioGateway]]:
    stand_in = Api()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stand_in.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    gateway = TwilioGateway(
        ACCOUNT, ACCOUNT, "token", base_url=f"http://127.0.0.1:{port}", connections=5
    )
    yield stand_in, gateway
    await gateway.close()
    await runner.cleanup()


async def test_a_text_is_posted_once_with_all_it_needs(api: tuple[Api, TwilioGateway]) -> None:
    stand_in, gateway = api
    taken = await gateway.send(TEXT)
    assert (taken.message_sid, taken.status) == ("SM1", "queued")
    assert stand_in.posted == [
        {
            "To": "+13032000001",
            "From": "33550",
            "Body": "Ready?",
            "StatusCallback": "https://stat.example.org/status?delivery=1",
            "ValidityPeriod": "36000",
        }
    ]


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, {"code": 21211, "message": "no such number", "status": 400}, RejectedError, 21211),
        (400, {"code": 21610, "message": "unsubscribed", "status": 400}, RejectedError, 21610),
        (400, {"code": 21606, "message": "wrong sender", "status": 400}, NotTakenError, 21606),
        (401, {"code": 20003, "message": "who are you", "status": 401}, NotTakenError, 20003),
        (429, {"code": 20429, "message": "too many", "status": 429}, NotTakenError, 20429),
        (500, "oops", UnknownOutcomeError, 0),
        (503, {"code": 20503}, UnknownOutcomeError, 0),
        (201, "not JSON", UnknownOutcomeError, 0),
    ],
)
async def test_every_refusal_says_whether_the_text_may_be_sent_again(
    api: tuple[Api, TwilioGateway], status: int, body: Any, error: type[SendError], code: int
) -> None:
    stand_in, gateway = api
    stand_in.status, stand_in.body = status, body
    with pytest.raises(error) as raised:
        await gateway.send(TEXT)
    assert type(raised.value) is error
    assert raised.value.code == code
    assert len(stand_in.posted) == 1


async def test_the_wait_that_the_api_asks_for_is_kept(api: tuple[Api, TwilioGateway]) -> None:
    stand_in, gateway = api
    stand_in.status, stand_in.headers = 429, {"Retry-After": "7"}
    with pytest.raises(NotTakenError) as raised:
        await gateway.send(TEXT)
    assert raised.value.retry_after_seconds == 7


async def test_a_lost_connection_is_doubt_and_never_a_second_post(
    api: tuple[Api, TwilioGateway],
) -> None:
    stand_in, gateway = api
    stand_in.hang_up = True
    with pytest.raises(UnknownOutcomeError):
        await gateway.send(TEXT)
    assert len(stand_in.posted) == 1


async def test_nobody_listening_is_certain_not_to_have_taken_it() -> None:
    gateway = TwilioGateway(ACCOUNT, ACCOUNT, "token", base_url="http://127.0.0.1:9", connections=1)
    with pytest.raises(NotTakenError):
        await gateway.send(TEXT)
    await gateway.close()


async def test_received_texts_are_listed_without_ours_and_without_older_ones(
    api: tuple[Api, TwilioGateway],
) -> None:
    stand_in, gateway = api
    stand_in.status = 200
    listed = {"status": "received", "direction": "inbound", "from": "+13032000001", "to": "33550"}
    rows = [
        {"sid": "SM3", "date_created": "Tue, 30 Mar 2021 18:00:00 +0000", "body": "STOP"},
        {"sid": "SM2", "date_created": "Tue, 30 Mar 2021 17:30:00 +0000", "body": None}
        | {"num_media": "2", "messaging_service_sid": "MG1"},
        {"sid": "SM1", "date_created": "Tue, 30 Mar 2021 12:00:00 +0000", "body": "STAT"},
        {"sid": "SM0", "date_created": "Tue, 30 Mar 2021 18:00:00 +0000", "body": "Ready?"}
        | {"direction": "outbound-api"},
    ]
    stand_in.body = {"messages": [{**listed, **row} for row in rows], "next_page_uri": None}
    since = datetime(2021, 3, 30, 17, tzinfo=UTC)
    first, second = await gateway.received(to="33550", since=since)
    assert first == ListedText("SM3", "+13032000001", "33550", "STOP", since + timedelta(hours=1))
    assert (second.body, second.media_count, second.messaging_service_sid) == ("", 2, "MG1")


@pytest.mark.parametrize("status", [500, 429, 401, 404])
async def test_a_list_that_cannot_be_read_is_an_error_and_never_an_empty_one(
    api: tuple[Api, TwilioGateway], status: int
) -> None:
    stand_in, gateway = api
    stand_in.status, stand_in.body = status, {"code": 20003, "message": "no", "status": status}
    since = datetime(2021, 3, 30, 17, tzinfo=UTC)
    with pytest.raises(SendError):
        await gateway.received(to="33550", since=since)
    with pytest.raises(SendError):
        await gateway.refused(sender="33550", since=since)
    with pytest.raises(SendError):
        await gateway.senders_of("MG1")
    with pytest.raises(SendError):
        await gateway.deactivated(since.date())


async def test_a_report_that_cannot_be_had_is_an_error(api: tuple[Api, TwilioGateway]) -> None:
    stand_in, gateway = api
    stand_in.status, stand_in.body = 307, {"redirect_to": "http://127.0.0.1:9/report.txt"}
    with pytest.raises(SendError, match="could not be had"):
        await gateway.deactivated(datetime(2021, 3, 29, tzinfo=UTC).date())
    stand_in.body = {}
    with pytest.raises(RejectedError, match="no report"):
        await gateway.deactivated(datetime(2021, 3, 29, tzinfo=UTC).date())


async def test_texts_are_found_again_by_number_and_time(api: tuple[Api, TwilioGateway]) -> None:
    stand_in, gateway = api
    stand_in.status = 200
    listed = {"sid": "SM1", "status": "sent", "body": "Ready?", "error_code": None}
    dates = ["Tue, 30 Mar 2021 18:00:00 +0000", "Tue, 30 Mar 2021 12:00:00 +0000"]
    stand_in.body = {
        "messages": [
            {**listed, "sid": f"SM{n}", "date_created": date} for n, date in enumerate(dates)
        ],
        "next_page_uri": None,
    }
    found = await gateway.find(to="+13032000001", since=datetime(2021, 3, 30, 17, tzinfo=UTC))
    assert [(text.message_sid, text.body) for text in found] == [("SM0", "Ready?")]
