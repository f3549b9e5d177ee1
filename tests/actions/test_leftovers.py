"""What a poll that is over leaves unsent: cancelled in chunks, whatever dies in between."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import leftovers
from service.actions.jobs import run_due_job
from service.actions.leftovers import cancel_leftovers
from service.actions.polls import cancel_poll, close_poll, publish_poll
from service.actions.results import read_results
from service.domain.polls import PollState
from service.runtime import Runtime
from service.store.turns import claim, due_sources
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, make_program, run_background

PEOPLE = 7


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "CHUNK_TEXTS", 2)


async def waiting_texts(runtime: Runtime) -> None:
    """An open poll, its texts written and none of them sent."""
    await make_program(runtime)
    await make_members(runtime, PEOPLE)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass
    assert await ledger(runtime) == {("ready", ""): PEOPLE}


async def ledger(runtime: Runtime) -> dict[tuple[str, str], int]:
    query = "SELECT state, reason, count(*) FROM delivery WHERE purpose = 'ask' GROUP BY 1, 2"
    async with runtime.sessions() as session:
        return {(row[0], row[1]): row[2] for row in await session.execute(text(query))}


async def state_of(runtime: Runtime) -> str:
    async with runtime.sessions() as session:
        return str(await session.scalar(text("SELECT state FROM poll")))


def dies_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone when it has cancelled one chunk."""
    whole, calls = leftovers.cancel_chunk, 0

    async def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the process is gone")
        return await whole(*arguments, **options)

    monkeypatch.setattr(leftovers, "cancel_chunk", dying)


@pytest.mark.parametrize(
    ("end", "reason"), [(close_poll, "closed before it was sent"), (cancel_poll, "poll cancelled")]
)
async def test_whoever_ends_a_poll_leaves_nothing_waiting(
    runtime: Runtime, end: Any, reason: str
) -> None:
    await waiting_texts(runtime)
    await end(runtime, "coaching")
    assert await ledger(runtime) == {("cancelled", reason): PEOPLE}


async def test_texts_that_a_worker_has_claimed_are_cancelled_too(
    runtime: Runtime, clock: MovableClock
) -> None:
    await waiting_texts(runtime)
    now = clock.now()
    async with runtime.sessions.begin() as session:
        (source,) = await due_sources(session, now)
        await claim(session, source, name="other", now=now, lease=timedelta(seconds=20), size=3)
    await close_poll(runtime, "coaching")
    assert await ledger(runtime) == {("cancelled", "closed before it was sent"): PEOPLE}


@pytest.mark.parametrize(
    ("end", "state", "reason"),
    [
        (close_poll, PollState.CLOSED, "closed before it was sent"),
        (cancel_poll, PollState.CANCELLED, "poll cancelled"),
    ],
)
async def test_what_a_crash_left_waiting_is_not_sent_and_is_cancelled(
    runtime: Runtime,
    gateway: FakeGateway,
    monkeypatch: pytest.MonkeyPatch,
    end: Any,
    state: PollState,
    reason: str,
) -> None:
    await waiting_texts(runtime)
    with monkeypatch.context() as patched:
        dies_second(patched)
        with pytest.raises(OSError, match="gone"):
            await end(runtime, "coaching")
    assert await state_of(runtime) == state.value
    assert await ledger(runtime) == {("cancelled", reason): 2, ("ready", ""): PEOPLE - 2}
    run = await run_due_job(runtime)
    assert run is not None
    assert (run.name, run.error) == ("cancel_leftovers", "")
    assert await ledger(runtime) == {("cancelled", reason): PEOPLE}
    assert gateway.taken == []


async def test_the_gate_says_the_same_of_a_text_that_it_meets_first(
    runtime: Runtime, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_texts(runtime)
    with monkeypatch.context() as patched:
        dies_second(patched)
        with pytest.raises(OSError, match="gone"):
            await close_poll(runtime, "coaching")
    async with runtime.sessions.begin() as session:  # the job comes late
        await session.execute(text("DELETE FROM job"))
    await run_background(runtime)
    assert gateway.taken == []
    assert await ledger(runtime) == {("cancelled", "closed before it was sent"): PEOPLE}


async def test_a_result_is_frozen_when_nothing_waits_any_more(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_texts(runtime)
    with monkeypatch.context() as patched:
        dies_second(patched)
        with pytest.raises(OSError, match="gone"):
            await close_poll(runtime, "coaching")
    await publish_poll(runtime, "coaching", actor="tests")
    results = await read_results(runtime, "coaching")
    assert results["not_sent"] == {"closed before it was sent": PEOPLE}
    async with runtime.sessions() as session:
        frozen = await session.scalar(text("SELECT results -> 'not_sent' FROM publication"))
    assert frozen == results["not_sent"]


async def test_a_poll_that_goes_on_loses_nothing(runtime: Runtime) -> None:
    await waiting_texts(runtime)
    await cancel_leftovers(runtime, 1)
    assert await ledger(runtime) == {("ready", ""): PEOPLE}
