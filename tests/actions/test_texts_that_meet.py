"""New attempt, reminder and another poll's question meet: nobody is asked twice over or missed.

So do a call under way and what its member texts meanwhile.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.errors import NotTakenError, RejectedError
from service.runtime import Runtime
from service.sms.gateway import OutboundText, TakenText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    make_members,
    make_open_poll,
    make_program,
    open_alerts,
    run_background,
    text_in,
)

HOUR = timedelta(hours=1)


async def asked(runtime: Runtime, after_hours: int = 24) -> str:
    """One person, sent the question of a poll that will remind them."""
    await make_program(runtime, monthly_texts=30)
    (number,) = await make_members(runtime, 1)
    await make_open_poll(runtime, {**COACHING, "reminder": {"after_hours": after_hours}})
    await run_background(runtime)
    return number


async def told(runtime: Runtime, status: str, code: int | None = None, *, key: str = "ask") -> None:
    """A receipt for a text that went, by the end of its key."""
    query = "SELECT message_sid, number FROM delivery WHERE dedupe_key LIKE :key"
    async with runtime.sessions() as session:
        sid, number = (await session.execute(text(query), {"key": f"%:{key}"})).one()
    await record_receipts(runtime, [ReceivedReceipt(sid, status, number, error_code=code)])


async def ledger(runtime: Runtime) -> list[tuple[str, str, str]]:
    query = "SELECT purpose, state, reason FROM delivery WHERE inbound_sid IS NULL ORDER BY id"
    async with runtime.sessions() as session:
        return [tuple(row) for row in await session.execute(text(query))]  # type: ignore[misc]


async def answered(runtime: Runtime) -> list[int]:
    """The polls that were answered."""
    query = "SELECT q.poll_id FROM answer a JOIN question q ON q.id = a.question_id"
    async with runtime.sessions() as session:
        return list(await session.scalars(text(query)))


def said(gateway: FakeGateway) -> list[str]:
    """What the texts taken were, in order."""
    return ["reminder" if "reminder" in one.body else "question" for one in gateway.taken]


@pytest.mark.parametrize("status", ["failed", "undelivered"])
async def test_whom_the_second_attempt_reached_is_reminded(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, status: str
) -> None:
    await asked(runtime)
    await told(runtime, status, 30003)
    clock.advance(HOUR)
    await run_background(runtime)
    await told(runtime, "delivered", key="again")
    clock.advance(23 * HOUR)
    await run_background(runtime)
    assert said(gateway) == ["question", "question", "reminder"]


async def test_nobody_is_reminded_while_a_second_attempt_waits(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime, after_hours=7)
    clock.advance(5.5 * HOUR)
    await told(runtime, "undelivered", 30003)  # 17:30: tried again tomorrow
    clock.advance(1.5 * HOUR)
    await run_background(runtime)
    clock.advance(15 * HOUR)
    await run_background(runtime)
    assert said(gateway) == ["question", "question"]


@pytest.mark.parametrize("wait", [timedelta(), 2 * HOUR])
async def test_who_is_reminded_needs_no_second_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, wait: timedelta
) -> None:
    await asked(runtime, after_hours=7)
    clock.advance(7 * HOUR)
    await run_background(runtime)  # 19:00: the reminder waits for the morning
    await told(runtime, "undelivered", 30003)
    clock.advance(15 * HOUR - wait)
    await run_background(runtime)
    clock.advance(wait)
    await run_background(runtime)
    assert said(gateway) == ["question", "reminder"]
    assert (await ledger(runtime))[2] == ("ask", "cancelled", "the reminder asks it again")


async def test_a_reminder_that_failed_does_not_replace_the_second_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime, after_hours=1)
    clock.advance(HOUR)
    await run_background(runtime)
    await told(runtime, "undelivered", 30003, key="reminder")
    await told(runtime, "undelivered", 30003)
    clock.advance(HOUR)
    await run_background(runtime)
    assert said(gateway) == ["question", "reminder", "question"]


async def test_a_reminder_that_another_polls_question_overtakes_is_dropped(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number = await asked(runtime, after_hours=7)
    clock.advance(7 * HOUR)
    await run_background(runtime)
    clock.advance(15 * HOUR)
    async with runtime.sessions.begin() as session:  # its own hours begin later
        later = "UPDATE delivery SET not_before = not_before + interval '1 hour'"
        await session.execute(text(f"{later} WHERE purpose = 'reminder'"))
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    await run_background(runtime)
    clock.advance(HOUR)
    await run_background(runtime)
    assert said(gateway) == ["question", "question"]
    assert (await ledger(runtime))[1] == ("reminder", "cancelled", "asked something else since")
    await text_in(runtime, number, "yes")
    assert await answered(runtime) == [2]


async def test_a_question_that_never_left_is_not_the_one_that_is_answered(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    number = await asked(runtime)
    gateway.fail = lambda _: RejectedError("21617", code=21617)
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    await run_background(runtime)
    await text_in(runtime, number, "yes")
    assert await answered(runtime) == [1]


async def test_a_question_that_never_left_takes_no_reminders_place(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime)
    gateway.fail = lambda _: RejectedError("21617", code=21617)
    clock.advance(HOUR)
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    await run_background(runtime)
    gateway.fail = lambda _: None
    clock.advance(24 * HOUR)
    await run_background(runtime)
    assert said(gateway) == ["question", "reminder"]


async def test_an_account_that_cannot_send_results_is_told_to_staff(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    from service.actions.polls import close_poll, publish_poll

    await make_program(runtime, monthly_texts=30)
    (number,) = await make_members(runtime, 1)
    due = clock.now() + timedelta(days=3)
    content: dict[str, Any] = {**COACHING, "results_text": True, "results_at": due.isoformat()}
    await make_open_poll(runtime, content)
    await run_background(runtime)
    await text_in(runtime, number, "no")
    clock.advance(timedelta(days=2))
    await close_poll(runtime, "coaching")
    await publish_poll(runtime, "coaching", actor="tests")
    gateway.fail = lambda _: NotTakenError("no", code=20003, retry_after_seconds=60)
    clock.advance(timedelta(days=1))
    await run_background(runtime)
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("carrier_refusal", "poll:1:code:20003")
    assert "20003" in sentence


@pytest.mark.parametrize("in_a_receipt", [False, True])
@pytest.mark.parametrize(
    ("words", "ends"),
    [(["STOP", "START"], "active"), (["no"], "opted_out"), (["STAT"], "opted_out")],
)
async def test_a_refusal_of_a_text_from_before_a_return_does_not_opt_out(
    runtime: Runtime,
    gateway: FakeGateway,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    in_a_receipt: bool,
    words: list[str],
    ends: str,
) -> None:
    """While a call, or its receipt, was under way its member left and came back."""
    whole = gateway.send

    async def send(given: OutboundText) -> TakenText:
        clock.advance(timedelta(seconds=1))
        for body in words:
            await text_in(runtime, given.to, body)
        return await whole(given)

    monkeypatch.setattr(gateway, "send", send)
    gateway.fail = lambda _: None if in_a_receipt else RejectedError("blocked", code=21610)
    await asked(runtime)
    if in_a_receipt:
        await told(runtime, "failed", 21610)
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT state FROM subscriber")) == ends
