"""Texts that failed: one new attempt where it may help, and one person counted once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions.opt_out import opt_out
from service.actions.polls import close_poll
from service.actions.reconcile import reconcile
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.actions.results import read_results
from service.errors import RejectedError, UnknownOutcomeError
from service.runtime import Runtime
from service.sms.gateway import OutboundText, TakenText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, make_program, run_background, text_in

HOUR = timedelta(hours=1, minutes=1)


async def asked(runtime: Runtime, people: int = 1) -> list[str]:
    """People of an open poll whose texts have been handed over."""
    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    await run_background(runtime)
    return numbers


async def receipt(runtime: Runtime, number: str, status: str, code: int | None = None) -> None:
    """A receipt for the newest question to a number."""
    query = (
        "SELECT message_sid FROM delivery WHERE number=:number AND purpose='ask'"
        " AND message_sid IS NOT NULL ORDER BY id DESC LIMIT 1"
    )
    async with runtime.sessions() as session:
        sid = await session.scalar(text(query), {"number": number})
    await record_receipts(runtime, [ReceivedReceipt(str(sid), status, number, error_code=code)])


async def rows(runtime: Runtime) -> list[tuple[str, str]]:
    query = "SELECT state, reason FROM delivery WHERE purpose='ask' ORDER BY id"
    async with runtime.sessions() as session:
        return [(row.state, row.reason) for row in await session.execute(text(query))]


async def funnel(runtime: Runtime) -> tuple[Any, ...]:
    found = await read_results(runtime, "coaching")
    return found["audience"], found["sent"], found["by_receipt"], found["not_sent"]


async def test_an_unreachable_phone_is_tried_once_more_an_hour_later(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "undelivered", 30003)
    clock.advance(timedelta(minutes=59))
    await run_background(runtime)
    assert len(gateway.taken) == 1
    clock.advance(timedelta(minutes=2))
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [number, number]
    assert await funnel(runtime) == (1, 1, {"no receipt yet": 1}, {})
    await receipt(runtime, number, "delivered")
    assert await funnel(runtime) == (1, 1, {"delivered": 1}, {})


async def test_there_is_no_third_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    for _ in range(3):
        await receipt(runtime, number, "undelivered", 30003)
        clock.advance(HOUR)
        await run_background(runtime)
    assert len(gateway.taken) == 2
    assert await funnel(runtime) == (1, 1, {"undelivered": 1}, {})


async def test_the_same_failure_told_often_makes_one_new_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    for status in ("undelivered", "failed", "undelivered"):
        await receipt(runtime, number, status, 30008)
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 2


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_a_late_delivered_ends_the_new_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, status: str
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "failed", 30003)
    await receipt(runtime, number, status)
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 1
    assert await rows(runtime) == [
        ("failed", ""),
        ("cancelled", "the first text arrived after all"),
    ]
    assert await funnel(runtime) == (1, 0, {}, {"failed": 1})


async def test_an_answer_ends_the_new_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "undelivered", 30003)
    await text_in(runtime, number, "no")
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 1
    assert await funnel(runtime) == (1, 1, {"undelivered": 1}, {})


async def test_a_stop_ends_the_new_attempt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "undelivered", 30003)
    await opt_out(runtime, number, actor="tests")
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 1
    assert await funnel(runtime) == (1, 1, {"undelivered": 1}, {})


async def test_the_close_ends_the_new_attempt_and_nobody_is_counted_twice(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    one, two, three = await asked(runtime, 3)
    await receipt(runtime, one, "undelivered", 30003)
    await receipt(runtime, two, "failed", 30004)
    await receipt(runtime, three, "delivered")
    assert await funnel(runtime) == (3, 2, {"delivered": 1, "undelivered": 1}, {"waiting": 1})
    await close_poll(runtime, "coaching")
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 3
    assert await funnel(runtime) == (3, 2, {"delivered": 1, "undelivered": 1}, {"failed": 1})


async def test_no_new_attempt_is_planned_that_would_come_after_the_close(
    runtime: Runtime, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    clock.advance(timedelta(days=2, minutes=-30))
    await receipt(runtime, number, "undelivered", 30003)
    assert await rows(runtime) == [("undelivered", "")]


@pytest.mark.parametrize("code", [30005, 30007, 30410, 30024, 21610])
async def test_these_are_not_tried_again(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, code: int
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "undelivered", code)
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 1


async def test_a_text_that_expired_in_a_full_queue_is_sent_while_it_is_timely(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    await receipt(runtime, number, "failed", 30036)
    clock.advance(timedelta(minutes=11))
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [number, number]


async def test_an_unknown_refusal_of_the_call_is_tried_once_more(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    def refuse(_: OutboundText) -> RejectedError:
        return RejectedError("never heard of", code=98765)

    gateway.fail = refuse
    await asked(runtime)
    assert await funnel(runtime) == (1, 0, {}, {"waiting": 1})
    gateway.fail = lambda _: None
    clock.advance(HOUR)
    await run_background(runtime)
    assert await funnel(runtime) == (1, 1, {"no receipt yet": 1}, {})


async def test_a_failure_that_the_carriers_list_tells_is_tried_once_more(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    gateway.fail = lambda _: UnknownOutcomeError("no answer")
    (number,) = await asked(runtime)
    gateway.fail = lambda _: None
    async with runtime.sessions() as session:
        body = await session.scalar(text("SELECT body FROM delivery WHERE purpose='ask'"))
    found = TakenText("SMfound", "undelivered", str(body), runtime.clock.now(), 30003)
    gateway.listed[number] = [found]
    assert await reconcile(runtime, gateway) == 1
    assert [state for state, _ in await rows(runtime)] == ["undelivered", "ready"]


async def test_answers_to_members_own_texts_are_not_tried_again(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime)
    await text_in(runtime, number, "no")
    async with runtime.sessions() as session:
        key = await session.scalar(text("SELECT id FROM delivery WHERE purpose='counted'"))
    failed = ReceivedReceipt("SMreply", "failed", number, int(str(key)), 30003)
    await record_receipts(runtime, [failed])
    clock.advance(HOUR)
    await run_background(runtime)
    assert len(gateway.taken) == 1


async def test_what_an_earlier_call_met_with_is_forgotten_once_the_text_is_taken(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    from service.errors import NotTakenError

    gateway.fail = lambda _: NotTakenError("slow down", code=20429)
    await asked(runtime)
    code = text("SELECT error_code FROM delivery WHERE purpose='ask'")
    async with runtime.sessions() as session:
        assert await session.scalar(code) == 20429
    gateway.fail = lambda _: None
    clock.advance(timedelta(minutes=5))
    await run_background(runtime)
    async with runtime.sessions() as session:
        assert await session.scalar(code) is None
