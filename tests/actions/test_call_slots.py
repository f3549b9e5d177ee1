"""Slots shrink with the carrier's patience, and a silent carrier gets one text at a time."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from service.actions.call_slots import CallSlots
from service.actions.dispatch import dispatch_batch
from service.domain.call_pace import SILENT_CALLS
from service.errors import NotTakenError, UnknownOutcomeError
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_ready_poll

SLOW = NotTakenError("slow down", code=20429)
SILENT = UnknownOutcomeError("no answer")


async def states(runtime: Runtime) -> dict[str, int]:
    query = "SELECT state, count(*) AS n FROM delivery WHERE purpose='ask' GROUP BY state"
    async with runtime.sessions() as session:
        return {row.state: row.n for row in await session.execute(text(query))}


async def test_a_turn_waits_until_half_of_its_slots_are_free() -> None:
    slots = CallSlots(4)
    assert await slots.take(3) == 3
    second = asyncio.create_task(slots.take(4))
    await asyncio.sleep(0)
    assert not second.done()
    slots.give_back(1)
    assert await second == 2


async def test_a_turn_larger_than_what_is_allowed_gets_what_is_allowed() -> None:
    slots = CallSlots(8)
    assert await slots.take(1) == 1
    slots.note(SLOW, slots.mark())
    slots.give_back()
    assert await slots.take(8) == 4


async def test_no_connection_neither_opens_nor_closes_anything() -> None:
    slots = CallSlots(8)
    for _ in range(SILENT_CALLS - 1):
        slots.note(SILENT, slots.mark())
    slots.note(NotTakenError("no connection"), slots.mark())
    assert slots.allowed == 8
    slots.note(SILENT, slots.mark())
    assert slots.allowed == 0
    assert await slots.take(3) == 0


async def test_a_turn_that_stands_in_line_is_sent_home_when_the_carrier_falls_silent() -> None:
    slots = CallSlots(2)
    assert await slots.take(2) == 2
    waiting = asyncio.create_task(slots.take(2))
    await asyncio.sleep(0)
    for _ in range(SILENT_CALLS):
        slots.note(SILENT, slots.mark())
    slots.give_back(2)
    assert await waiting == 0


async def test_a_busy_carrier_is_called_half_as_much_and_nobody_is_lost(runtime: Runtime) -> None:
    gateway = runtime.gateway
    assert isinstance(gateway, FakeGateway)
    await make_ready_poll(runtime, 40)
    slots = CallSlots(20, runtime.clock)
    gateway.fail = lambda _: SLOW
    await dispatch_batch(runtime, gateway, slots)
    assert slots.allowed == 10
    assert await states(runtime) == {"ready": 40}


async def test_a_silent_carrier_leaves_few_in_doubt_and_is_tried_with_one_text(
    runtime: Runtime,
) -> None:
    gateway, clock = runtime.gateway, runtime.clock
    assert isinstance(gateway, FakeGateway)
    assert isinstance(clock, MovableClock)
    await make_ready_poll(runtime, 200)
    slots_of_a_worker = 25
    slots = CallSlots(slots_of_a_worker, clock)
    gateway.fail = lambda _: SILENT

    async def lane() -> None:
        while await dispatch_batch(runtime, gateway, slots):
            pass

    await asyncio.gather(*(lane() for _ in range(4)))
    doubted = (await states(runtime))["in_doubt"]
    assert 0 < doubted <= slots_of_a_worker
    assert await states(runtime) == {"in_doubt": doubted, "ready": 200 - doubted}
    clock.advance(timedelta(seconds=6))
    await asyncio.gather(*(lane() for _ in range(4)))
    assert await states(runtime) == {"in_doubt": doubted + 1, "ready": 199 - doubted}
    clock.advance(timedelta(seconds=6))
    assert await dispatch_batch(runtime, gateway, slots) == 0
    clock.advance(timedelta(seconds=5))
    gateway.fail = lambda _: None
    await asyncio.gather(*(lane() for _ in range(4)))
    assert await states(runtime) == {"in_doubt": doubted + 1, "accepted": 199 - doubted}
    assert slots.allowed > 1
