"""Calls that end badly, and looking up what became of their texts: never a second text for one."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.dispatch import CallSlots, dispatch_batch
from service.actions.reconcile import reconcile, sweep
from service.errors import NotTakenError, SendError, UnknownOutcomeError
from service.runtime import Runtime
from service.sms.gateway import TakenText
from tests.actions.test_dispatch import states
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_ready_poll, run_background


async def doubt_all(runtime: Runtime, gateway: FakeGateway, people: int) -> list[str]:
    numbers = await make_ready_poll(runtime, people)
    gateway.fail = lambda _: UnknownOutcomeError("no answer")
    while await states(runtime) != {"in_doubt": people}:  # a silent carrier is left in peace
        await run_background(runtime)
    gateway.fail = lambda _: None
    return numbers


async def test_an_outcome_nobody_foresaw_costs_no_other_texts_outcome(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 5)

    def fail(sent: object) -> SendError | None:
        if getattr(sent, "to", "") == numbers[2]:
            raise ValueError("what no carrier ever did")
        return None

    gateway.fail = fail
    with pytest.raises(ValueError, match="no carrier"):
        await dispatch_batch(runtime, gateway, CallSlots(5))
    assert await states(runtime) == {"accepted": 4, "handed": 1}


@pytest.mark.parametrize("error", [NotTakenError("busy"), UnknownOutcomeError("no answer")])
async def test_an_outcome_told_late_says_nothing_of_a_later_handing_over(
    runtime: Runtime, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, error: SendError
) -> None:
    await make_ready_poll(runtime, 1)
    later = "UPDATE delivery SET handed_at = handed_at + interval '1 hour' WHERE purpose = 'ask'"

    async def fail_after_another_took_over(sent: object) -> TakenText:
        async with runtime.sessions.begin() as session:
            await session.execute(text(later))
        raise error

    monkeypatch.setattr(gateway, "send", fail_after_another_took_over)
    assert await dispatch_batch(runtime, gateway, CallSlots(5))
    assert await states(runtime) == {"handed": 1}


async def test_a_process_that_stood_still_makes_no_call(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.actions import dispatch

    await make_ready_poll(runtime, 2)
    hand_over = dispatch._hand_over

    async def hand_over_and_stand_still(*given: object) -> object:
        handed = await hand_over(*given)  # type: ignore[arg-type]
        clock.advance(timedelta(minutes=3))
        return handed

    monkeypatch.setattr(dispatch, "_hand_over", hand_over_and_stand_still)
    slots = CallSlots(2)
    await dispatch_batch(runtime, gateway, slots)
    assert gateway.taken == []
    assert await states(runtime) == {"handed": 2}
    monkeypatch.undo()
    async with asyncio.timeout(5):
        await slots.take(2)  # both were given back
        slots.give_back(2)
    await sweep(runtime)
    clock.advance(timedelta(minutes=13))
    await reconcile(runtime, gateway)
    assert await states(runtime) == {"ready": 2}
    await run_background(runtime)
    assert len(gateway.taken) == 2


async def test_a_list_read_before_the_settle_time_is_no_proof_of_absence(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await doubt_all(runtime, gateway, 1)
    clock.advance(timedelta(minutes=14, seconds=55))
    find = gateway.find

    async def slow_find(**wanted: object) -> list[TakenText]:
        found = await find(**wanted)  # type: ignore[arg-type]
        clock.advance(timedelta(seconds=10))
        return found

    gateway.find = slow_find  # type: ignore[method-assign, assignment]
    assert await reconcile(runtime, gateway) == 0
    assert await states(runtime) == {"in_doubt": 1}
    assert await reconcile(runtime, gateway) == 1


async def test_many_in_doubt_are_looked_up_side_by_side_each_number_once(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await doubt_all(runtime, gateway, 30)
    async with runtime.sessions() as session:
        body = str(await session.scalar(text("SELECT body FROM delivery WHERE purpose='ask'")))
    now = runtime.clock.now()
    gateway.listed = {number: [TakenText(f"SM{number}", "sent", body, now)] for number in numbers}
    find, asked, at_once, most = gateway.find, [], 0, 0

    async def watched_find(**wanted: object) -> list[TakenText]:
        nonlocal at_once, most
        asked.append(wanted["to"])
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return await find(**wanted)  # type: ignore[arg-type]

    gateway.find = watched_find  # type: ignore[method-assign, assignment]
    assert await reconcile(runtime, gateway) == 30
    assert sorted(asked) == sorted(numbers)
    assert 1 < most <= 10
    assert await states(runtime) == {"sent": 30}


async def test_an_api_that_is_away_is_not_asked_for_every_text(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await doubt_all(runtime, gateway, 30)
    asked = []

    async def silent(**wanted: object) -> list[TakenText]:
        asked.append(wanted["to"])
        raise UnknownOutcomeError("no answer")

    gateway.find = silent  # type: ignore[method-assign, assignment]
    assert await reconcile(runtime, gateway) == 0
    assert len(asked) <= 10
    assert await states(runtime) == {"in_doubt": 30}


async def test_two_doubted_texts_of_one_number_share_no_listed_text(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await doubt_all(runtime, gateway, 1)
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO delivery (dedupe_key, program_id, number_key, number, purpose, body,"
                " segments, state, not_before, created_at, handed_at)"
                " SELECT 'twin', program_id, number_key, number, purpose, body, segments, state,"
                " not_before, created_at, handed_at FROM delivery WHERE purpose = 'ask'"
            )
        )
        body = str(await session.scalar(text("SELECT body FROM delivery WHERE purpose='ask'")))
    gateway.listed[number] = [TakenText("SMone", "sent", body, runtime.clock.now())]
    assert await reconcile(runtime, gateway) == 1
    assert await states(runtime) == {"sent": 1, "in_doubt": 1}


async def test_sweeping_waits_for_nobody_who_is_just_moving_a_text(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_ready_poll(runtime, 2)
    async with runtime.sessions.begin() as session:
        left = "UPDATE delivery SET state='handed', handed_at=:now WHERE purpose='ask'"
        await session.execute(text(left), {"now": runtime.clock.now()})
    clock.advance(timedelta(minutes=1))
    async with runtime.sessions.begin() as busy:
        await busy.execute(
            text("SELECT 1 FROM delivery WHERE purpose='ask' ORDER BY id LIMIT 1 FOR UPDATE")
        )
        async with asyncio.timeout(5):
            await sweep(runtime)
        assert await states(runtime) == {"handed": 1, "in_doubt": 1}
    await sweep(runtime)
    assert await states(runtime) == {"in_doubt": 2}
