"""Texts typed on phones: what the product is posted, and what comes back."""

import asyncio

import httpx
from emulator_helpers import ACCOUNT, NUMBER, TOKEN, serve, twiml
from twilio.request_validator import RequestValidator

from emulator.settings import OptoutMode


async def test_an_inbound_text_is_posted_signed_and_whole(product, emulate):
    emulator = await emulate(clock_offset_seconds=-1e8)
    product.answer = lambda form: twiml("Welcome & hello".replace("&", "&amp;"))
    answer = await emulator.text("STAT é😀")
    form, headers = product.inbound[0]
    assert answer == {
        "sid": form["MessageSid"],
        "status": 200,
        "error_code": None,
        "replies": ["Welcome & hello"],
    }
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"]
    assert form["Body"] == "STAT é😀"
    assert (form["From"], form["To"]) == (NUMBER, "33550")
    assert (form["AccountSid"], form["ApiVersion"]) == (ACCOUNT, "2010-04-01")
    assert (form["NumMedia"], form["NumSegments"], form["SmsStatus"]) == ("0", "1", "received")
    assert form["FromCity"] == form["ToZip"] == ""
    assert "MessagingServiceSid" not in form
    assert "OptOutType" not in form
    expected = RequestValidator(TOKEN).compute_signature(product.inbound_url, form)
    assert headers["X-Twilio-Signature"] == expected
    assert headers["User-Agent"] == "TwilioProxy/1.1"
    assert len(headers["I-Twilio-Idempotency-Token"]) == 36


async def test_the_phone_shows_both_sides(product, emulate):
    emulator = await emulate()
    product.answer = lambda form: twiml("One", "Two")
    await emulator.text("STAT")
    phone = await emulator.phone()
    shown = [(text["direction"], text["body"]) for text in phone["texts"]]
    assert shown == [("sent", "STAT"), ("received", "One"), ("received", "Two")]
    assert phone["blocked"] is False


async def test_the_public_address_is_signed_and_the_local_one_posted(product, emulate):
    public = "https://stat.example.org"
    emulator = await emulate(
        signing_base_url=public, inbound_url=f"{product.inbound_url}?a=%20b#rc=2&rp=all"
    )
    product.answer = lambda form: twiml("Hi", callback="/status?delivery=d%2F1")
    await emulator.text("STAT")
    await product.wait_for(lambda: len(product.receipts) == 2)
    form, headers = product.inbound[0]
    validator = RequestValidator(TOKEN)
    url = f"{public}/inbound?a=%20b"
    assert headers["X-Twilio-Signature"] == validator.compute_signature(url, form)
    path, form, headers = product.receipts[0]
    assert path == "/status?delivery=d%2F1"
    assert headers["X-Twilio-Signature"] == validator.compute_signature(public + path, form)


async def test_a_repeated_sid_posts_again_and_is_recorded_once(product, emulate):
    emulator = await emulate()
    first = await emulator.text("YES")
    again = await emulator.text("YES", sid=first["sid"])
    assert first["sid"] == again["sid"]
    assert len(product.inbound) == 2
    assert len((await emulator.log())["rows"]) == 1


async def test_media_and_extra_fields_are_posted(product, emulate):
    emulator = await emulate(messaging_service_sid="MG1")
    await emulator.text("Look", media=2, opt_out_type="HELP", extra={"FromCity": "DENVER"})
    form, _ = product.inbound[0]
    assert form["MessageSid"].startswith("MM")
    assert (form["NumMedia"], form["MediaContentType1"]) == ("2", "image/jpeg")
    assert (form["OptOutType"], form["FromCity"]) == ("HELP", "DENVER")
    assert form["MessagingServiceSid"] == "MG1"


async def test_texts_of_one_phone_arrive_in_the_order_typed(product, emulate):
    emulator = await emulate()
    numbers = [f"+130355501{index:02}" for index in range(20)]
    texts = [{"number": number, "body": str(n)} for n in range(5) for number in numbers]
    answer = await emulator.http.post("/emulator/phones/texts", json=texts)
    assert answer.json() == {"answered": 100, "failed": 0}
    for number in numbers:
        bodies = [form["Body"] for form, _ in product.inbound if form["From"] == number]
        assert bodies == ["0", "1", "2", "3", "4"]


async def test_a_server_error_is_not_repeated_by_default(product, emulate):
    emulator = await emulate()
    product.answer = lambda form: (500, "text/plain", "Oops")
    answer = await emulator.text("YES")
    assert (answer["status"], answer["error_code"], answer["replies"]) == (500, 11200, [])
    assert len(product.inbound) == 1


async def test_an_override_repeats_server_errors_with_the_same_token(product, emulate):
    emulator = await emulate(inbound_url=f"{product.inbound_url}#rc=2&rp=5xx")
    product.answer = lambda form: (503, "", "") if len(product.inbound) < 3 else twiml("At last")
    answer = await emulator.text("YES")
    assert answer["replies"] == ["At last"]
    tokens = {headers["I-Twilio-Idempotency-Token"] for _, headers in product.inbound}
    assert (len(product.inbound), len(tokens)) == (3, 1)


async def test_a_product_that_restarts_is_reached_by_the_repeat(product, emulate):
    runner = await serve(product)
    port = runner.addresses[0][1]
    await runner.cleanup()
    emulator = await emulate(inbound_url=f"http://127.0.0.1:{port}/inbound", connect_retries=100)
    typing = asyncio.create_task(emulator.text("YES"))
    await asyncio.sleep(0.05)
    runner = await serve(product, port)
    answer = await typing
    await runner.cleanup()
    assert (answer["status"], len(product.inbound)) == (200, 1)


async def test_a_failed_text_goes_to_the_fallback_with_the_reason(product, emulate):
    emulator = await emulate(fallback_url=f"{product.base_url}/fallback")
    product.answer = lambda form: (200, "application/json", "{}")
    answer = await emulator.text("YES")
    assert answer["replies"] == ["from the fallback"]
    assert product.fallback[0]["ErrorCode"] == "12300"
    assert product.fallback[0]["ErrorUrl"] == product.inbound_url


async def test_without_a_fallback_the_loss_is_counted(product, emulate):
    emulator = await emulate(inbound_url="http://127.0.0.1:1/inbound")
    answer = await emulator.text("YES")
    assert (answer["status"], answer["error_code"]) == (0, 11205)
    assert (await emulator.http.get("/emulator/crowd")).json()["webhook_failures"] == 1


async def test_a_short_code_leaves_stop_to_the_product(product, emulate):
    emulator = await emulate()
    await emulator.text("STOP")
    assert (await emulator.phone())["blocked"] is False
    assert len((await emulator.phone())["texts"]) == 1


async def test_a_long_code_blocks_at_stop_and_opens_at_start(product, emulate):
    emulator = await emulate(optout_mode=OptoutMode.DEFAULT)
    await emulator.text(" stop ")
    phone = await emulator.phone()
    assert phone["blocked"] is True
    assert "unsubscribed" in phone["texts"][-1]["body"]
    assert (await emulator.create()).json()["code"] == 21610
    await emulator.text("Yes")
    assert (await emulator.phone())["blocked"] is False
    assert [form["Body"] for form, _ in product.inbound] == [" stop ", "Yes"]
    assert all("OptOutType" not in form for form, _ in product.inbound)


async def test_advanced_opt_out_tells_the_product_and_leaves_yes_alone(product, emulate):
    emulator = await emulate(optout_mode=OptoutMode.ADVANCED)
    for body in ("STOP", "YES", "START", "HELP"):
        await emulator.text(body)
    told = [form.get("OptOutType") for form, _ in product.inbound]
    assert told == ["STOP", None, "START", "HELP"]
    assert (await emulator.phone())["blocked"] is False


async def test_the_control_api_serves_this_machine_only_unless_opened(product, emulate):
    for is_open, status in ((False, 403), (True, 200)):
        emulator = await emulate(open_control=is_open)
        transport = httpx.ASGITransport(app=emulator.app, client=("192.0.2.7", 9))
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as stranger:
            assert (await stranger.get("/emulator/health")).status_code == status
