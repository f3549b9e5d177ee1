"""A poll's life: who is asked before it opens, and how promptly it stops."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.dispatch import CallSlots, dispatch_batch
from service.actions.jobs import run_due_job
from service.actions.polls import (
    cancel_poll,
    create_poll,
    open_poll,
    pause_poll,
    resume_poll,
    schedule_poll,
)
from service.actions.show_polls import list_all_polls, preview_poll
from service.errors import RefusedError
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
)

HOUR = timedelta(hours=1)
SLOTS_OF_A_TURN = 5


async def planned(runtime: Runtime, people: int, confirmed: int | None = None) -> None:
    """A poll for ``people``, to open in an hour."""
    await make_program(runtime)
    await make_members(runtime, people)
    await create_poll(runtime, COACHING, program=None, actor="tests")
    now = runtime.clock.now()
    await schedule_poll(
        runtime,
        "coaching",
        opens_at=now + HOUR,
        closes_at=now + 48 * HOUR,
        confirmed_people=confirmed,
    )


async def state(runtime: Runtime) -> tuple[str, bool]:
    (poll,) = await list_all_polls(runtime, None)
    return poll["state"], poll["late"]


async def test_a_poll_opens_at_its_time(runtime: Runtime, clock: MovableClock) -> None:
    await planned(runtime, 2, confirmed=2)
    clock.advance(HOUR - timedelta(seconds=1))
    await run_background(runtime)
    assert await state(runtime) == ("scheduled", False)
    clock.advance(timedelta(minutes=59))
    await run_background(runtime)
    assert await state(runtime) == ("open", False)
    assert await open_alerts(runtime) == []


async def test_a_poll_that_is_late_waits_for_a_person(
    runtime: Runtime, clock: MovableClock
) -> None:
    await planned(runtime, 1)
    clock.advance(timedelta(minutes=121))
    await run_background(runtime)
    assert await state(runtime) == ("scheduled", True)
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("late_poll", "poll:1")
    assert sentence == (
        "Poll coaching was due Tue Mar 30 1pm MT and did not open. Open it: pollwire poll open "
        "coaching. Move it: pollwire poll schedule coaching"
    )
    await open_poll(runtime, "coaching", actor="cli:ana")
    assert await state(runtime) == ("open", False)
    assert await open_alerts(runtime) == []
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT acknowledged_by FROM alert")) == "cli:ana"


async def test_a_late_poll_can_be_moved_and_then_opens_by_itself(
    runtime: Runtime, clock: MovableClock
) -> None:
    await planned(runtime, 1)
    clock.advance(5 * HOUR)
    await run_background(runtime)
    now = clock.now()
    times = {"opens_at": now + HOUR, "closes_at": now + 30 * HOUR}
    await schedule_poll(runtime, "coaching", **times)
    assert await state(runtime) == ("scheduled", False)
    assert await open_alerts(runtime) == []
    clock.advance(3 * HOUR)  # late again: staff are told again
    await run_background(runtime)
    assert len(await open_alerts(runtime)) == 1
    now = clock.now()
    await schedule_poll(runtime, "coaching", opens_at=now, closes_at=now + 30 * HOUR)
    await run_background(runtime)
    assert await state(runtime) == ("open", False)
    with pytest.raises(RefusedError, match="is open: it cannot become scheduled"):
        await schedule_poll(runtime, "coaching", opens_at=now + HOUR, closes_at=now + 2 * HOUR)


async def test_a_poll_whose_close_has_passed_is_late_whatever_the_limit(
    runtime: Runtime, clock: MovableClock
) -> None:
    await planned(runtime, 1)
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE program SET late_limit_minutes = 100000"))
    runtime.catalog.forget()
    clock.advance(49 * HOUR)
    await run_background(runtime)
    assert await state(runtime) == ("scheduled", True)
    with pytest.raises(RefusedError, match="should have closed already"):
        await open_poll(runtime, "coaching")


@pytest.mark.parametrize(("people", "opens"), [(11, True), (12, False)])
async def test_an_audience_a_tenth_larger_than_confirmed_is_asked_about(
    runtime: Runtime, clock: MovableClock, people: int, opens: bool
) -> None:
    await planned(runtime, people, confirmed=10)
    clock.advance(HOUR)
    await run_background(runtime)
    assert await state(runtime) == ("open" if opens else "scheduled", False)
    if opens:
        return
    shown = await preview_poll(runtime, "coaching")
    assert (shown["confirmed_people"], shown["grown_to"]) == (10, 12)
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("late_poll", "poll:1")
    assert "confirmed for 10 people, it is for 12 now" in sentence
    await open_poll(runtime, "coaching")
    await run_background(runtime)
    assert isinstance(runtime.gateway, FakeGateway)
    assert len(runtime.gateway.taken) == 12


async def test_a_cancelled_poll_is_not_asked_about_any_more(
    runtime: Runtime, clock: MovableClock
) -> None:
    await planned(runtime, 1)
    clock.advance(5 * HOUR)
    await run_background(runtime)
    await cancel_poll(runtime, "coaching")
    assert await open_alerts(runtime) == []


class StoppingGateway(FakeGateway):
    """A carrier during whose third call staff act."""

    def __init__(self, runtime: Runtime, act: str) -> None:
        super().__init__()
        self.runtime, self.act = runtime, act

    async def send(self, text: OutboundText) -> TakenText:
        taken = await super().send(text)
        if len(self.taken) == 3:
            await {"pause": pause_poll, "cancel": cancel_poll}[self.act](self.runtime, "coaching")
        return taken


@pytest.mark.parametrize("act", ["pause", "cancel"])
async def test_pausing_and_cancelling_stop_within_one_turn(runtime: Runtime, act: str) -> None:
    await make_program(runtime)
    numbers = await make_members(runtime, 40)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass
    stopping = StoppingGateway(runtime, act)
    calls = CallSlots(SLOTS_OF_A_TURN)
    await dispatch_batch(runtime, stopping, calls)
    assert 3 <= len(stopping.taken) <= SLOTS_OF_A_TURN
    assert not await dispatch_batch(runtime, stopping, calls)
    if act == "cancel":
        return
    await resume_poll(runtime, "coaching")

    async def lane() -> None:
        while await dispatch_batch(runtime, stopping, calls):
            pass

    await asyncio.gather(lane(), lane())
    assert sorted(sent.to for sent in stopping.taken) == sorted(numbers)
