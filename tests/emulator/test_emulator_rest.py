"""The REST API, also as the SDK sees it, and the receipts that follow a create."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from emulator_helpers import ACCOUNT, MESSAGES, NUMBER, TOKEN, twiml
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from emulator.settings import Span

SLOW = Span(60.0, 60.0)


async def test_a_create_answers_with_the_whole_resource(product, emulate):
    emulator = await emulate(receipt_seconds=SLOW, clock_offset_seconds=-1.0)
    answer = await emulator.create(body="a" * 200)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Twilio-Concurrent-Requests"] == "1"
    assert body["sid"].startswith("SM")
    assert len(body["sid"]) == 34
    assert (body["status"], body["direction"], body["num_segments"]) == (
        "queued",
        "outbound-api",
        "2",
    )
    assert body["date_created"].endswith("+0000")
    assert (body["date_sent"], body["price"], body["error_code"]) == (None, None, None)
    assert body["uri"] == f"{MESSAGES}/{body['sid']}.json"


async def test_a_messaging_service_accepts_first_and_reports_queued(product, emulate):
    emulator = await emulate(messaging_service_sid="MG1")
    answer = await emulator.create(
        **{"from": ""}, messagingServiceSid="MG1", statusCallback=f"{product.base_url}/status"
    )
    body = answer.json()
    assert (body["status"], body["num_segments"]) == ("accepted", "0")
    assert body["messaging_service_sid"] == "MG1"
    await product.wait_for(lambda: len(product.receipts) == 3)
    assert product.statuses == ["queued", "sent", "delivered"]
    assert product.receipts[0][1]["MessagingServiceSid"] == "MG1"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "13035550100"}, 21211),
        ({"to": "+1303555010"}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from": ""}, 21603),
        ({"from": "", "messagingServiceSid": "MG9"}, 21603),
        ({"from": "+13035550111"}, 21606),
        ({"body": ""}, 21602),
        ({"body": "a" * 1601}, 21617),
        ({"sendAt": "2030-01-01T00:00:00Z"}, 35117),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_code(product, emulate, fields, code):
    emulator = await emulate()
    answer = await emulator.create(**fields)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": code,
        "message": answer.json()["message"],
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": 400,
    }
    assert (await emulator.log())["rows"] == []


async def test_only_the_account_and_its_api_key_get_in(product, emulate):
    emulator = await emulate(api_key_sid="SK1", api_key_secret="secret")
    wrong = await emulator.http.get(f"{MESSAGES}.json", auth=(ACCOUNT, "wrong"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
    assert (await emulator.http.get(f"{MESSAGES}.json", auth=("SK1", "secret"))).status_code == 200
    other = await emulator.http.get("/2010-04-01/Accounts/AC9/Messages.json")
    assert (other.status_code, other.json()["code"]) == (404, 20404)


async def test_receipts_follow_in_order_signed_for_the_query_too(product, emulate):
    emulator = await emulate()
    callback = f"{product.base_url}/status?delivery=a%20b"
    sid = (await emulator.create(statusCallback=callback)).json()["sid"]
    await product.wait_for(lambda: len(product.receipts) == 2)
    assert product.statuses == ["sent", "delivered"]
    _, form, headers = product.receipts[1]
    assert form["MessageSid"] == form["SmsSid"] == sid
    assert (form["From"], form["To"], form["SmsStatus"]) == ("33550", NUMBER, "delivered")
    assert len(form["RawDlrDoneDate"]) == 10
    expected = RequestValidator(TOKEN).compute_signature(callback, form)
    assert headers["X-Twilio-Signature"] == expected
    assert (await emulator.phone())["texts"][0]["body"] == "Hello"
    fetched = (await emulator.http.get(f"{MESSAGES}/{sid}.json")).json()
    assert (fetched["status"], fetched["price"]) == ("delivered", "-0.00830")


async def test_the_unreachable_are_the_same_each_time_and_never_on_a_driven_phone(product, emulate):
    emulator = await emulate(undelivered_share=1.0)
    callback = f"{product.base_url}/status"
    await emulator.text("STAT", number="+13035550102")
    for number in (NUMBER, NUMBER, "+13035550102"):
        await emulator.create(to=number, statusCallback=callback)
    await product.wait_for(lambda: len(product.receipts) == 6)
    ends = [form for _, form, _ in product.receipts if form["MessageStatus"] != "sent"]
    failed = {form["ErrorCode"] for form in ends if form["To"] == NUMBER}
    assert len(failed) == 1
    assert failed <= {"30003", "30005", "30006"}
    reached = [form for form in ends if form["To"] == "+13035550102"]
    assert [form["MessageStatus"] for form in reached] == ["delivered"]
    assert "ErrorCode" not in reached[0]


async def test_a_phone_can_be_blocked_or_made_unreachable(product, emulate):
    emulator = await emulate()
    await emulator.http.post(f"/emulator/phones/{NUMBER}", json={"undelivered": 30006})
    await emulator.create(statusCallback=f"{product.base_url}/status")
    await product.wait_for(lambda: len(product.receipts) == 2)
    assert product.receipts[1][1]["ErrorCode"] == "30006"
    await emulator.http.post(f"/emulator/phones/{NUMBER}", json={"blocked": True})
    assert (await emulator.create()).json()["code"] == 21610
    product.answer = lambda form: twiml("Hi", callback="/status")
    await emulator.text("STAT")
    await product.wait_for(lambda: len(product.receipts) == 3)
    assert product.receipts[2][1]["ErrorCode"] == "21610"


async def test_a_text_is_withdrawn_only_before_it_leaves(product, emulate):
    emulator = await emulate(receipt_seconds=SLOW)
    callback = f"{product.base_url}/status"
    sid = (await emulator.create(statusCallback=callback)).json()["sid"]
    address = f"{MESSAGES}/{sid}.json"
    canceled = await emulator.http.post(address, data={"Status": "canceled"})
    assert canceled.json()["status"] == "canceled"
    await product.wait_for(lambda: product.statuses == ["canceled"])
    again = await emulator.http.post(address, data={"Status": "canceled"})
    assert (again.status_code, again.json()["code"]) == (409, 30409)
    assert (await emulator.phone())["texts"] == []


async def test_a_scheduled_text_waits_until_its_time(product, emulate):
    emulator = await emulate(messaging_service_sid="MG1")
    soon = datetime.now(UTC) + timedelta(hours=1)
    fields = {"from": "", "messagingServiceSid": "MG1", "scheduleType": "fixed"}
    body = (await emulator.create(**fields, sendAt=soon.isoformat())).json()
    assert body["status"] == "scheduled"
    late = await emulator.create(**fields, sendAt=datetime.now(UTC).isoformat())
    assert late.json()["code"] == 35111


async def test_a_body_is_blanked_and_a_message_deleted(product, emulate):
    emulator = await emulate()
    sid = (await emulator.create()).json()["sid"]
    address = f"{MESSAGES}/{sid}.json"
    assert (await emulator.http.post(address, data={"Body": ""})).json()["body"] == ""
    assert (await emulator.http.delete(address)).status_code == 204
    assert (await emulator.http.get(address)).status_code == 404
    assert (await emulator.http.get(f"{MESSAGES}.json")).json()["messages"] == []
    assert len((await emulator.log())["rows"]) == 1


async def test_the_list_is_newest_first_filtered_and_paged(product, emulate):
    emulator = await emulate()
    await emulator.text("STAT")
    for index in range(5):
        await emulator.create(body=f"text {index}")
    await emulator.create(to="+13035550199")

    async def page(address: str) -> tuple[list[str], dict]:
        found = (await emulator.http.get(address)).json()
        return [message["body"] for message in found["messages"]], found

    bodies, envelope = await page(f"{MESSAGES}.json?To=%2B13035550100&PageSize=2")
    assert bodies == ["text 4", "text 3"]
    assert (envelope["start"], envelope["end"], envelope["page_size"]) == (0, 1, 2)
    assert envelope["previous_page_uri"] is None
    await emulator.create(body="text 5")
    bodies, envelope = await page(envelope["next_page_uri"])
    assert bodies == ["text 2", "text 1"]
    assert (await page(envelope["previous_page_uri"]))[0] == ["text 4", "text 3"]
    bodies, envelope = await page(envelope["next_page_uri"])
    assert (bodies, envelope["next_page_uri"]) == (["text 0"], None)
    inbound, _ = await page(f"{MESSAGES}.json?To=33550&From=%2B13035550100")
    assert inbound == ["STAT"]


async def test_the_clock_may_run_on_another_day(product, emulate):
    day = datetime(2021, 3, 30, 16, tzinfo=UTC)
    offset_seconds = (day - datetime.now(UTC)).total_seconds()
    emulator = await emulate(clock_offset_seconds=offset_seconds)
    await emulator.text("STAT")
    for query, count in (
        ("DateSent=2021-03-30", 1),
        ("DateSent>=2021-03-30", 1),
        ("DateSent%3E=2021-03-30T15:59:00Z", 1),
        ("DateSent%3E=2021-03-31", 0),
        ("DateSent<=2021-03-30", 1),
        ("DateSent%3C%3D=2021-03-29", 0),
    ):
        found = (await emulator.http.get(f"{MESSAGES}.json?{query}")).json()["messages"]
        assert len(found) == count, query
    listed = (await emulator.http.get(f"{MESSAGES}.json")).json()["messages"]
    assert listed[0]["date_sent"].startswith("Tue, 30 Mar 2021 16:00")
    assert (listed[0]["direction"], listed[0]["status"]) == ("inbound", "received")


async def test_too_many_requests_at_once_are_turned_away(product, emulate):
    emulator = await emulate(concurrency_limit=3, latency_ms=50.0)
    answers = await asyncio.gather(*(emulator.create() for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 429, 429]
    assert {answer.json().get("code") for answer in answers} == {None, 20429}
    assert len((await emulator.log())["rows"]) == 3


async def test_a_full_queue_refuses(product, emulate):
    emulator = await emulate(queue_limit=0)
    assert (await emulator.create()).json()["code"] == 21611


async def test_a_slow_sender_holds_texts_back_and_lets_them_expire(product, emulate):
    emulator = await emulate(segments_per_second=0.01)
    callback = f"{product.base_url}/status"
    await emulator.create(statusCallback=callback)
    await emulator.create(statusCallback=callback, validityPeriod="0.2")
    await product.wait_for(lambda: len(product.receipts) == 3)
    failed = [form for _, form, _ in product.receipts if form["MessageStatus"] == "failed"]
    assert [form["ErrorCode"] for form in failed] == ["30036"]


async def test_trouble_happens_as_planned(product, emulate):
    emulator = await emulate()
    plan = {"creates": ["busy", "error", "error_after"], "doubled_receipts_share": 1}
    await emulator.http.post("/emulator/faults", json=plan)
    callback = f"{product.base_url}/status"
    codes = [(await emulator.create(statusCallback=callback)).status_code for _ in range(3)]
    assert codes == [429, 503, 503]
    await product.wait_for(lambda: len(product.receipts) == 4)
    assert product.statuses == ["sent", "sent", "delivered", "delivered"]
    await emulator.http.post("/emulator/faults", json={"lost_receipts_share": 1})
    await emulator.create(statusCallback=callback)
    assert len((await emulator.log())["rows"]) == 2


async def test_the_log_keeps_the_order_of_acceptance(product, emulate):
    emulator = await emulate(receipt_seconds=SLOW)
    product.answer = lambda form: twiml("Hi", callback="/status?delivery=7")
    await emulator.text("STAT")
    first = await emulator.log()
    assert [row["direction"] for row in first["rows"]] == ["inbound", "outbound-reply"]
    assert first["rows"][1]["status_callback"] == f"{product.base_url}/status?delivery=7"
    await emulator.create()
    second = await emulator.log(first["next"])
    assert [(row["n"], row["direction"]) for row in second["rows"]] == [(3, "outbound-api")]


def _use_sdk(port: int) -> None:
    client = Client(ACCOUNT, TOKEN)
    client.api.base_url = f"http://127.0.0.1:{port}"
    sent = [client.messages.create(to=NUMBER, from_="33550", body=f"{n}") for n in range(3)]
    assert sent[0].date_created is not None
    assert client.messages(sent[0].sid).fetch().body == "0"
    since = datetime.now(UTC) - timedelta(days=1)
    listed = client.messages.list(to=NUMBER, date_sent_after=since, page_size=1)
    assert [message.body for message in listed] == ["2", "1", "0"]
    assert client.messages(sent[1].sid).update(body="").body == ""
    assert client.messages(sent[1].sid).delete()
    with pytest.raises(TwilioRestException) as failure:
        client.messages.create(to="+15005550004", from_="33550", body="Hi")
    assert (failure.value.code, failure.value.status) == (21610, 400)
    client.http_client.session.close()


async def test_the_sdk_gets_on_with_it(product, emulate):
    emulator = await emulate(receipt_seconds=Span(0.0, 0.0))
    # Listening before it serves, so that nobody has to wait until it does.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(emulator.app, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(_use_sdk, listener.getsockname()[1])
        server.should_exit = True
        await serving
