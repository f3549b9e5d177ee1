"""Texts out at their pace: the rate is shared, kept, and used up by what leaves alone."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import dispatch
from service.actions.call_slots import CallSlots
from service.actions.dispatch import dispatch_batch
from service.actions.jobs import run_due_job
from service.runtime import Runtime
from service.sms.gateway import OutboundText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    make_members,
    make_open_poll,
    make_program,
    make_ready_poll,
    text_in,
)


async def send_all(runtime: Runtime, gateway: FakeGateway, slots: CallSlots) -> float:
    """Send with the lanes of a worker until nothing is due; gives the seconds it took."""
    started = asyncio.get_running_loop().time()

    async def lane() -> None:
        while await dispatch_batch(runtime, gateway, slots):
            pass

    await asyncio.gather(*(lane() for _ in range(4)))
    return asyncio.get_running_loop().time() - started


async def reserved_until(runtime: Runtime) -> datetime | None:
    """Until when the sender's rate is given away."""
    async with runtime.sessions() as session:
        return await session.scalar(text("SELECT next_at FROM rate_slot"))


async def test_the_rate_is_kept_over_all_lanes(runtime: Runtime, gateway: FakeGateway) -> None:
    slow = replace(runtime, send_rate=50)
    await make_ready_poll(slow, 30)
    took = await send_all(slow, gateway, CallSlots(25))
    assert len(gateway.taken) == 30
    assert took >= 29 / 50


async def test_what_does_not_leave_uses_up_nothing_of_the_rate(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    runtime = replace(runtime, send_rate=8)
    await make_ready_poll(runtime, 8)
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE subscriber SET hold = true"))
    await send_all(runtime, gateway, CallSlots(25))
    assert gateway.taken == []
    until = await reserved_until(runtime)
    assert until is not None
    assert until <= clock.now()


def stand_still(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass between handing over and the first call."""
    hand_over = dispatch._hand_over

    async def slowly(*arguments: Any) -> Any:
        handed = await hand_over(*arguments)
        clock.advance(timedelta(seconds=1))
        return handed

    monkeypatch.setattr(dispatch, "_hand_over", slowly)


async def test_a_turn_that_comes_late_reserves_anew(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_ready_poll(runtime, 5)
    stand_still(clock, monkeypatch)
    slots = CallSlots(25)
    before = clock.now()
    assert await dispatch_batch(runtime, gateway, slots)
    assert len(gateway.taken) == 5
    until = await reserved_until(runtime)
    assert until is not None
    assert until > before + timedelta(seconds=0.9)
    assert await slots.take(25) == 25


async def test_a_turn_whose_rate_cannot_be_reserved_anew_keeps_no_slot(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_ready_poll(runtime, 5)
    stand_still(clock, monkeypatch)
    reserve = dispatch.reserve_rate
    calls = count()

    async def lost_the_second_time(*arguments: Any, **named: Any) -> datetime:
        if next(calls):
            raise ConnectionResetError
        return await reserve(*arguments, **named)

    monkeypatch.setattr(dispatch, "reserve_rate", lost_the_second_time)
    slots = CallSlots(25)
    with pytest.raises(ConnectionResetError):
        await dispatch_batch(runtime, gateway, slots)
    assert gateway.taken == []  # in doubt by and by, and found not to have gone
    assert await slots.take(25) == 25


async def test_a_slow_sender_holds_up_no_fast_one(runtime: Runtime, gateway: FakeGateway) -> None:
    runtime = replace(runtime, send_rate=None)
    await make_program(runtime, send_rate=10)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",), send_rate=1000)
    await make_members(runtime, 20)
    await make_members(runtime, 200, to="44660", word="OTHER")
    await make_open_poll(runtime, {**COACHING, "program": "stat"})
    await make_open_poll(runtime, {**COACHING, "slug": "fast", "program": "other"})
    while await run_due_job(runtime):
        pass
    await send_all(runtime, gateway, CallSlots(25))
    senders = [sent.sender for sent in gateway.taken]
    assert len(senders) == 220
    last_fast = 219 - senders[::-1].index("44660")
    assert last_fast < 200 + 10  # of the two seconds the slow one takes, not half have passed


async def test_two_polls_of_one_sender_take_turns(runtime: Runtime, gateway: FakeGateway) -> None:
    runtime = replace(runtime, send_rate=25)
    await make_ready_poll(runtime, 12)
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    while await run_due_job(runtime):
        pass
    async with runtime.sessions() as session:
        rows = await session.execute(
            text("SELECT DISTINCT poll_id FROM delivery WHERE poll_id IS NOT NULL")
        )
        assert len(rows.all()) == 2
    await send_all(runtime, gateway, CallSlots(25))
    async with runtime.sessions() as session:
        sent = "SELECT poll_id FROM delivery WHERE poll_id IS NOT NULL ORDER BY handed_at, id"
        polls = list(await session.scalars(text(sent)))
    assert len(set(polls[: len(polls) // 2])) == 2


async def test_no_text_is_handed_over_long_before_its_call(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    workers = [replace(runtime, send_rate=4, name=name) for name in ("one", "two", "three")]
    await make_ready_poll(runtime, 8)
    called: dict[str, datetime] = {}

    def note(sent: OutboundText) -> None:
        called[sent.to] = runtime.clock.now()

    gateway.fail = note
    await asyncio.gather(*(send_all(one, gateway, CallSlots(25)) for one in workers))
    async with runtime.sessions() as session:
        rows = await session.execute(
            text("SELECT number, handed_at FROM delivery WHERE poll_id IS NOT NULL")
        )
        handed = {row.number: row.handed_at for row in rows}
    assert called.keys() == handed.keys()
    assert max(called[number] - handed[number] for number in called) < timedelta(seconds=0.25)


async def test_who_waits_for_the_rate_keeps_no_member_waiting(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await make_ready_poll(runtime, 1)
    async with runtime.sessions.begin() as session:
        await session.execute(text("INSERT INTO rate_slot VALUES ('33550', '2021-03-30Z')"))
    async with runtime.sessions.begin() as frozen:
        await frozen.execute(text("SELECT FROM rate_slot FOR UPDATE"))
        waiting = asyncio.create_task(dispatch_batch(runtime, gateway, CallSlots(25)))
        await until_somebody_waits_for_a_lock(runtime)
        async with asyncio.timeout(5):
            assert await text_in(runtime, numbers[0], "STOP")
        assert not waiting.done()
    await waiting
    assert gateway.taken == []


async def until_somebody_waits_for_a_lock(runtime: Runtime) -> None:
    """Wait for a statement that waits for another's row."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10), runtime.sessions() as session:
        while not await session.scalar(query):
            pass


async def test_what_another_process_has_locked_is_looked_at_later(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_ready_poll(runtime, 1)
    async with runtime.sessions.begin() as other:
        await other.execute(text("SELECT FROM delivery FOR UPDATE"))
        assert not await dispatch_batch(runtime, gateway, CallSlots(25))
    assert await dispatch_batch(runtime, gateway, CallSlots(25))
    assert len(gateway.taken) == 1


async def test_a_lane_that_waits_for_slots_begins_nothing_after_a_stop(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_ready_poll(runtime, 1)
    slots = CallSlots(2)
    assert await slots.take(2) == 2
    lanes = [asyncio.create_task(dispatch_batch(runtime, gateway, slots)) for _ in range(2)]
    await asyncio.sleep(0)
    slots.close()
    slots.give_back(2)
    assert await asyncio.gather(*lanes) == [False, False]
    assert gateway.taken == []
