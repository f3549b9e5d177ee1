"""Texts out: once, at a decent hour, and what is unknown is found out before anything is resent."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import dispatch
from service.actions.call_slots import CallSlots
from service.actions.dispatch import dispatch_batch
from service.actions.opt_out import opt_out
from service.actions.polls import cancel_poll, close_poll, pause_poll, resume_poll
from service.actions.receive_texts import receive_texts
from service.actions.reconcile import reconcile, sweep
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.actions.results import read_results
from service.errors import NotTakenError, RejectedError, UnknownOutcomeError
from service.runtime import Runtime
from service.sms.gateway import TakenText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    a_text,
    make_members,
    make_open_poll,
    make_program,
    make_ready_poll,
    run_background,
    text_in,
)


async def states(runtime: Runtime) -> dict[str, int]:
    query = "SELECT state, count(*) AS n FROM delivery WHERE purpose='ask' GROUP BY state"
    async with runtime.sessions() as session:
        return {row.state: row.n for row in await session.execute(text(query))}


async def doubted_text(runtime: Runtime, gateway: FakeGateway) -> str:
    """One member whose text got no answer from the carrier; gives the number."""
    (number,) = await make_ready_poll(runtime, 1)
    gateway.fail = lambda _: UnknownOutcomeError("no answer")
    await run_background(runtime)
    gateway.fail = lambda _: None
    return number


async def test_everybody_is_texted_once_however_many_dispatchers_run(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 60)
    calls = CallSlots(25)

    async def lane() -> None:
        while await dispatch_batch(runtime, gateway, calls):
            pass

    await asyncio.gather(*(lane() for _ in range(5)))
    assert sorted(sent.to for sent in gateway.taken) == sorted(numbers)
    body = gateway.taken[0].body
    assert body.startswith("Acme Stat: Does your organization")
    assert body.endswith("Reply YES, NO or N/A. Reply STOP to opt out.")


async def test_fan_out_twice_writes_nothing_twice(runtime: Runtime) -> None:
    from service.actions.fan_out import fan_out

    await make_ready_poll(runtime, 10)
    async with runtime.sessions.begin() as session:
        again = "UPDATE poll SET fan_out_done = false, fan_out_after_id = 0"
        await session.execute(text(again))
    await fan_out(runtime, 1)
    assert await states(runtime) == {"ready": 10}


async def test_a_stop_between_fan_out_and_sending_stops_the_text(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 3)
    await text_in(runtime, numbers[0], "STOP")
    await opt_out(runtime, numbers[1], actor="tests")
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [numbers[2]]
    found = await read_results(runtime, "coaching")
    assert (found["audience"], found["sent"], found["not_sent"]) == (3, 1, {"opted out": 2})


async def test_people_on_hold_or_in_review_get_no_broadcast(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    held, reviewed, free = await make_members(runtime, 3)
    await text_in(runtime, held, "this is spam")
    await text_in(runtime, reviewed, "When is the annual meeting?")
    await make_open_poll(runtime)
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [free]
    found = await read_results(runtime, "coaching")
    assert found["not_sent"] == {"on hold": 1, "in review": 1}


async def test_nobody_is_texted_in_quiet_hours_and_nobody_is_forgotten(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    clock.advance(timedelta(hours=7))  # Tuesday 19:00 in Denver
    await make_ready_poll(runtime, 2)
    await run_background(runtime)
    assert gateway.taken == []
    assert await states(runtime) == {"deferred": 2}
    clock.advance(timedelta(hours=15))  # Wednesday 10:00
    await run_background(runtime)
    assert len(gateway.taken) == 2


async def test_pause_resume_and_cancel_take_effect_at_once(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 2)
    await pause_poll(runtime, "coaching")
    await run_background(runtime)
    assert gateway.taken == []
    await resume_poll(runtime, "coaching")
    await run_background(runtime)
    assert len(gateway.taken) == 2
    await cancel_poll(runtime, "coaching")
    assert "closed" in str((await text_in(runtime, numbers[0], "yes")).body)


async def test_what_is_not_sent_at_closing_is_not_sent_at_all(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_ready_poll(runtime, 2)
    await close_poll(runtime, "coaching")
    await run_background(runtime)
    assert gateway.taken == []
    assert await states(runtime) == {"cancelled": 2}


async def test_a_text_not_taken_is_tried_again_later(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_ready_poll(runtime, 1)
    gateway.fail = lambda _: NotTakenError("slow down", code=20429)
    await dispatch_batch(runtime, gateway, CallSlots(1))
    assert await states(runtime) == {"ready": 1}
    gateway.fail = lambda _: None
    assert not await dispatch_batch(runtime, gateway, CallSlots(1))
    clock.advance(timedelta(seconds=2))
    assert await dispatch_batch(runtime, gateway, CallSlots(1))
    assert len(gateway.taken) == 1


async def test_a_refused_text_has_failed_and_is_in_the_funnel(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_ready_poll(runtime, 1)
    gateway.fail = lambda _: RejectedError("no such number", code=21211)
    await run_background(runtime)
    assert (await read_results(runtime, "coaching"))["not_sent"] == {"failed": 1}


async def test_a_number_that_the_carrier_blocks_is_opted_out(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    gateway.fail = lambda _: RejectedError("unsubscribed", code=21610)
    await run_background(runtime)
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT state FROM subscriber")) == "opted_out"
        event = "SELECT medium FROM consent_event ORDER BY id DESC LIMIT 1"
        assert await session.scalar(text(event)) == "carrier"
    assert (await text_in(runtime, number, "yes")).body is None


async def test_a_text_in_doubt_is_never_resent_before_the_settle_time(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number = await doubted_text(runtime, gateway)
    assert await states(runtime) == {"in_doubt": 1}
    clock.advance(timedelta(minutes=14))
    assert await reconcile(runtime, gateway) == 0
    clock.advance(timedelta(minutes=2))
    assert await reconcile(runtime, gateway) == 1
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [number]


async def test_a_text_in_doubt_is_healed_by_the_carriers_list(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    number = await doubted_text(runtime, gateway)
    async with runtime.sessions() as session:
        body = await session.scalar(text("SELECT body FROM delivery WHERE purpose='ask'"))
    taken = TakenText("SMfound", "sent", str(body), runtime.clock.now())
    other = TakenText("SMother", "sent", "another text", runtime.clock.now())
    gateway.listed[number] = [other, taken]
    assert await reconcile(runtime, gateway) == 1
    assert await states(runtime) == {"sent": 1}


async def test_a_text_in_doubt_is_healed_by_its_receipt(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number = await doubted_text(runtime, gateway)
    async with runtime.sessions() as session:
        key = await session.scalar(text("SELECT id FROM delivery WHERE purpose='ask'"))
    await record_receipts(runtime, [ReceivedReceipt("SMfound", "delivered", number, int(str(key)))])
    assert await states(runtime) == {"delivered": 1}


async def test_a_worker_that_died_leaves_nothing_behind(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_ready_poll(runtime, 2)
    async with runtime.sessions.begin() as session:
        dead = (
            "UPDATE delivery SET state=CASE id % 2 WHEN 0 THEN 'leased' ELSE 'handed' END,"
            " leased_by='dead', leased_until=:now, handed_at=:now WHERE purpose='ask'"
        )
        await session.execute(text(dead), {"now": runtime.clock.now()})
    clock.advance(timedelta(seconds=31))
    await sweep(runtime)
    assert await states(runtime) == {"ready": 1, "in_doubt": 1}


async def test_receipts_in_any_order_repeated_and_early_end_in_the_same_state(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 2)
    early, usual = sorted(numbers)
    async with runtime.sessions() as session:
        rows = await session.execute(text("SELECT number, id FROM delivery WHERE purpose='ask'"))
        keys = {row.number: row.id for row in rows}
    # The receipt overtakes the answer to the create call.
    await record_receipts(runtime, [ReceivedReceipt("SMearly", "delivered", early, keys[early])])
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [usual]
    sid = f"SM{1:032x}"
    for status in ("delivered", "sent", "queued", "sent", "delivered", "undelivered", "moonlit"):
        await record_receipts(runtime, [ReceivedReceipt(sid, status, usual)])
    await record_receipts(runtime, [ReceivedReceipt("SMnobody", "sent", "+13035550000")])
    assert await states(runtime) == {"delivered": 2}
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM receipt")) == 7


async def test_a_blocked_number_in_a_receipt_opts_out(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    await run_background(runtime)
    failed = ReceivedReceipt(f"SM{1:032x}", "failed", number, error_code=21610)
    await record_receipts(runtime, [failed])
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT state FROM subscriber")) == "opted_out"


async def test_answers_to_texts_are_rows_of_the_ledger_and_never_resent(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime)
    await receive_texts(runtime, [a_text("+13032000001", "STAT")])
    clock.advance(timedelta(seconds=31))
    await sweep(runtime)
    clock.advance(timedelta(minutes=16))
    await reconcile(runtime, gateway)
    await run_background(runtime)
    assert gateway.taken == []
    async with runtime.sessions() as session:
        row = (await session.execute(text("SELECT state, purpose FROM delivery"))).one()
    assert (row.state, row.purpose) == ("failed", "confirmation")


async def test_a_call_that_comes_after_the_allowed_hours_is_not_made(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_ready_poll(runtime, 1)
    clock.advance(timedelta(hours=5, minutes=59, seconds=30))
    whole = dispatch.call_carrier

    async def stands_still(*arguments: Any) -> Any:
        clock.advance(timedelta(seconds=45))
        return await whole(*arguments)

    monkeypatch.setattr(dispatch, "call_carrier", stands_still)
    await dispatch_batch(runtime, gateway, CallSlots(1))
    assert gateway.taken == []
    assert await states(runtime) == {"handed": 1}  # in doubt by and by, and then for tomorrow


async def test_a_text_expires_at_the_end_of_the_allowed_hours(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    clock.advance(timedelta(hours=5))  # 17:00 in Denver; the hours end at 18:00
    await make_ready_poll(runtime, 1)
    await run_background(runtime)
    assert 3500 < gateway.taken[0].validity_seconds <= 3600


async def test_a_text_of_a_closed_poll_does_not_wait_for_ever(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await doubted_text(runtime, gateway)
    await close_poll(runtime, "coaching")
    clock.advance(timedelta(minutes=16))
    assert await reconcile(runtime, gateway) == 1
    await run_background(runtime)
    assert await states(runtime) == {"cancelled": 1}


async def test_a_listed_text_without_words_is_left_to_staff(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number = await doubted_text(runtime, gateway)
    gateway.listed[number] = [TakenText("SMredacted", "sent", "", runtime.clock.now())]
    clock.advance(timedelta(hours=1))
    assert await reconcile(runtime, gateway) == 0
    assert await states(runtime) == {"in_doubt": 1}


async def test_a_repeated_receipt_does_not_opt_out_who_came_back(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    await run_background(runtime)
    failed = ReceivedReceipt(f"SM{1:032x}", "failed", number, error_code=21610)
    await record_receipts(runtime, [failed])
    await text_in(runtime, number, "START")
    await record_receipts(runtime, [failed])
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT state FROM subscriber")) == "active"


async def test_a_late_receipt_makes_the_question_asked(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number = await doubted_text(runtime, gateway)
    clock.advance(timedelta(minutes=16))
    await reconcile(runtime, gateway)  # the list lacks it, so it is due again
    async with runtime.sessions() as session:
        key = await session.scalar(text("SELECT id FROM delivery WHERE purpose='ask'"))
    await record_receipts(runtime, [ReceivedReceipt("SMlate", "delivered", number, int(str(key)))])
    assert "counted" in str((await text_in(runtime, number, "no")).body)


async def test_an_answer_belongs_to_the_poll_that_was_read_last(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    await pause_poll(runtime, "coaching")
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    await run_background(runtime)
    clock.advance(timedelta(minutes=1))
    await resume_poll(runtime, "coaching")
    await run_background(runtime)
    await text_in(runtime, number, "no")
    assert (await read_results(runtime, "coaching"))["applicable"] == 1
    assert (await read_results(runtime, "second"))["applicable"] == 0
