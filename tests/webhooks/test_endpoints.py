"""The webhooks as Twilio meets them: recorded bodies, repeated ones, and bad input."""

import asyncio
import json
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from service.runtime import Runtime
from tests.make import SENDER, a_number, make_program
from tests.webhooks.conftest import BASE, INBOUND, STATUS, Twilio

NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


async def scalar(runtime: Runtime, query: str) -> object:
    async with runtime.sessions() as session:
        return await session.scalar(text(query))


async def test_the_recorded_texts_are_taken_in(
    twilio: Twilio, runtime: Runtime, shared_data: Path
) -> None:
    await make_program(runtime)
    vectors = json.loads((shared_data / "vectors" / "webhooks_inbound.json").read_text())
    posted = 0
    for vector in vectors:
        if vector["method"] == "GET":
            answer = await twilio.client.get(f"{INBOUND}?{vector['body']}")
            assert answer.status_code == 405
            continue
        answer = await twilio.client.post(
            INBOUND,
            content=vector["body"],
            headers={"X-Twilio-Signature": vector["test_signature"]},
        )
        assert (answer.status_code, answer.text) == (200, NOTHING), vector["note"]
        form = dict(parse_qsl(vector["body"], keep_blank_values=True))
        stored = "SELECT body FROM inbound_text ORDER BY id DESC LIMIT 1"
        assert await scalar(runtime, stored) == form["Body"]
        posted += 1
    assert posted == 7


async def test_the_recorded_receipts_are_taken_in(
    twilio: Twilio, runtime: Runtime, shared_data: Path
) -> None:
    vectors = json.loads((shared_data / "vectors" / "webhooks_status.json").read_text())
    for vector in vectors:
        form = dict(parse_qsl(vector["body"], keep_blank_values=True))
        for _ in range(2):
            answer = await twilio.post(f"{STATUS}?delivery=99", form)
            assert answer.status_code == 204
    assert await scalar(runtime, "SELECT count(*) FROM receipt") == len(vectors)


async def test_the_answer_carries_our_delivery_in_its_callback(
    twilio: Twilio, runtime: Runtime
) -> None:
    await make_program(runtime)
    answer = ElementTree.fromstring(await twilio.text("STAT"))
    (message,) = answer
    key = await scalar(runtime, "SELECT id FROM delivery")
    address, _, patience = (message.get("statusCallback") or "").partition("#")
    assert address == f"{BASE}{STATUS}?delivery={key}"
    assert patience == "rc=5&rp=5xx,ct,rt"
    assert (message.text or "").startswith("Acme Stat weekly polls: you're in.")
    receipt = {"MessageSid": "SMreply", "MessageStatus": "delivered", "To": a_number(1)}
    assert (await twilio.post(f"{STATUS}?delivery={key}", receipt)).status_code == 204
    assert await scalar(runtime, "SELECT state FROM delivery") == "delivered"


async def test_a_repeated_webhook_gets_the_very_same_answer(
    twilio: Twilio, runtime: Runtime
) -> None:
    await make_program(runtime)
    answers = await asyncio.gather(*(twilio.text("STAT") for _ in range(5)))
    assert len(set(answers)) == 1
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text") == 1
    assert await scalar(runtime, "SELECT count(*) FROM delivery") == 1


@pytest.mark.parametrize("signature", ["", "wrong", "ü"])
async def test_a_wrong_signature_is_refused_and_nothing_is_stored(
    twilio: Twilio, runtime: Runtime, signature: str
) -> None:
    form = {"MessageSid": "SM1", "From": a_number(1), "To": SENDER, "MessageStatus": "sent"}
    for target in (INBOUND, STATUS):
        answer = await twilio.client.post(
            target, data=form, headers={"X-Twilio-Signature": signature.encode()}
        )
        assert answer.status_code == 403
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text") == 0
    assert await scalar(runtime, "SELECT count(*) FROM receipt") == 0


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ("ST\x00AT", "ST\ufffdAT"),
        ("x" * 2000, "x" * 2000),
        ("👍🏽 señor — ça va? \ud83d", None),
        ("", ""),
        ("<Response>&amp;", "<Response>&amp;"),
    ],
)
async def test_odd_bodies_are_kept_and_answered(
    twilio: Twilio, runtime: Runtime, body: str, stored: str | None
) -> None:
    await make_program(runtime)
    body = body.encode("utf-8", "replace").decode()
    answer = await twilio.text(body, UnknownField="x", NumMedia="eleven")
    assert ElementTree.fromstring(answer).tag == "Response"
    kept = await scalar(runtime, "SELECT body FROM inbound_text")
    assert kept == (body if stored is None else stored)


@pytest.mark.parametrize("missing", ["From", "MessageSid"])
async def test_a_form_without_its_sender_or_sid_is_a_clear_400(
    twilio: Twilio, missing: str
) -> None:
    form = {"MessageSid": "SM1", "From": a_number(1), "To": SENDER, "Body": "hi"}
    del form[missing]
    answer = await twilio.post(INBOUND, form)
    assert (answer.status_code, answer.text) == (400, f"{missing} is missing\n")


async def test_get_is_refused_and_says_what_is_allowed(twilio: Twilio) -> None:
    answer = await twilio.client.get(INBOUND)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_huge_and_overfull_forms_are_refused(twilio: Twilio) -> None:
    assert (await twilio.post(INBOUND, {"Body": "x" * 70_000})).status_code == 413
    overfull = {f"Field{index}": "" for index in range(300)}
    assert (await twilio.post(INBOUND, overfull)).status_code == 400


async def test_receipts_for_nothing_known_are_kept_and_accepted(
    twilio: Twilio, runtime: Runtime
) -> None:
    form = {"MessageSid": "SMx", "MessageStatus": "sent", "To": "+13035550000"}
    for delivery in ("", "?delivery=", "?delivery=abc", "?delivery=99999999999999999999"):
        assert (await twilio.post(STATUS + delivery, form)).status_code == 204
    assert await scalar(runtime, "SELECT count(*) FROM receipt") == 1


async def test_a_long_code_and_a_messaging_service_name_their_program(
    twilio: Twilio, runtime: Runtime
) -> None:
    await make_program(runtime)
    await make_program(
        runtime,
        "service",
        name="Service Poll",
        sender="+13035550199",
        messaging_service_sid="MG0123",
        keywords=("POLL",),
    )
    joined = await twilio.text("POLL", To="+13035550100", MessagingServiceSid="MG0123")
    assert "Service Poll" in joined


async def test_twilio_default_mode_records_and_keeps_silent(
    twilio: Twilio, runtime: Runtime
) -> None:
    await make_program(runtime, opt_out_mode="twilio_default")
    await twilio.text("STAT", sid="SM1")
    assert await twilio.text("STOP", sid="SM2") == NOTHING
    assert await scalar(runtime, "SELECT state FROM subscriber") == "opted_out"
    assert await twilio.text("STAT", sid="SM3") == NOTHING
    assert await scalar(runtime, "SELECT state FROM subscriber") == "opted_out"
    assert await twilio.text("START", sid="SM4") == NOTHING
    assert await scalar(runtime, "SELECT state FROM subscriber") == "active"


async def test_advanced_mode_believes_what_twilio_decided(twilio: Twilio, runtime: Runtime) -> None:
    await make_program(runtime, opt_out_mode="advanced")
    await twilio.text("STAT", sid="SM1")
    assert await twilio.text("basta", sid="SM2", OptOutType="STOP") == NOTHING
    assert await scalar(runtime, "SELECT state FROM subscriber") == "opted_out"
