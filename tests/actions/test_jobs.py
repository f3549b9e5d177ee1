"""Background jobs: once, on time, after any crash, and never in silence."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import jobs as actions
from service.actions.jobs import (
    LEASE,
    MOST_ATTEMPTS,
    RECURRING,
    list_jobs,
    plan_recurring,
    retry_job,
    run_due_job,
)
from service.domain.schedule import Every
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import jobs
from service.store.engine import is_disconnect
from tests.conftest import MovableClock

Handlers = dict[str, Any]


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handlers]:
    """The table of handlers, to which a test adds its own."""
    added = dict(actions.HANDLERS)
    monkeypatch.setattr(actions, "HANDLERS", added)
    return added


async def plan(runtime: Runtime, name: str, key: str = "1", **payload: Any) -> None:
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        await jobs.enqueue(session, name, key, run_at=now, now=now, payload=payload)


def advance(runtime: Runtime, span: timedelta) -> None:
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(span)


async def test_a_job_planned_twice_runs_once(runtime: Runtime, handlers: Handlers) -> None:
    seen: list[Mapping[str, Any]] = []

    async def note(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        seen.append(payload)

    handlers["note"] = note
    await plan(runtime, "note", poll_id=7)
    await plan(runtime, "note", poll_id=8)
    while await run_due_job(runtime):
        pass
    assert seen == [{"poll_id": 7}]


async def test_a_plan_that_is_rolled_back_never_was(runtime: Runtime) -> None:
    now = runtime.clock.now()
    with pytest.raises(ZeroDivisionError):
        async with runtime.sessions.begin() as session:
            await jobs.enqueue(session, "sweep", "x", run_at=now, now=now)
            raise ZeroDivisionError
    assert await run_due_job(runtime) is None


async def test_a_failing_job_backs_off_and_is_buried_until_a_person_revives_it(
    runtime: Runtime, handlers: Handlers
) -> None:
    async def fail(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        raise ValueError("the first line\nand a second")

    handlers["fail"] = fail
    await plan(runtime, "fail")
    waits = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        run = await run_due_job(runtime)
        assert run is not None
        assert run.error == "ValueError: the first line"
        assert run.dead is (attempt == MOST_ATTEMPTS)
        assert await run_due_job(runtime) is None
        (job,) = await list_jobs(runtime)
        waits.append(job["run_at"] - runtime.clock.now())
        advance(runtime, timedelta(hours=1))
    assert waits[0] < waits[1] < waits[2]
    (job,) = await list_jobs(runtime, dead_only=True)
    assert (job["state"], job["last_error"]) == ("dead", "ValueError: the first line")
    await retry_job(runtime, job["id"])
    assert await run_due_job(runtime) is not None
    with pytest.raises(RefusedError, match="is not dead"):
        await retry_job(runtime, job["id"])


async def test_a_poison_job_harms_no_other(runtime: Runtime, handlers: Handlers) -> None:
    ran: list[str] = []

    async def note(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        ran.append("note")

    handlers["note"] = note
    await plan(runtime, "nobody knows this job")
    await plan(runtime, "note")
    while await run_due_job(runtime):
        pass
    assert ran == ["note"]


async def test_a_job_whose_process_was_killed_runs_again_after_its_lease(
    runtime: Runtime, handlers: Handlers
) -> None:
    ran: list[str] = []

    async def note(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        ran.append(runtime.name)

    handlers["note"] = note
    await plan(runtime, "note")
    async with runtime.sessions.begin() as session:
        lost = await jobs.claim(session, name="killed", now=runtime.clock.now(), lease=LEASE)
    assert lost is not None
    assert await run_due_job(runtime) is None
    advance(runtime, LEASE + timedelta(seconds=1))
    await run_due_job(runtime)
    assert ran == ["tests"]
    # The process that was thought dead comes back too late to say anything.
    async with runtime.sessions.begin() as session:
        now = runtime.clock.now()
        assert not await jobs.heartbeat(session, lost, name="killed", until=now)
        await jobs.fail(session, lost, name="killed", error="late", again_at=now)
    assert await list_jobs(runtime) == []


async def test_a_long_job_keeps_its_lease(
    runtime: Runtime, handlers: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "LEASE", timedelta(seconds=1.5))
    other = replace(runtime, name="other")
    stolen = []

    async def last(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        for _ in range(8):
            await asyncio.sleep(0.25)  # longer than the lease: the heartbeat is what is tested
            stolen.append(await run_due_job(other))

    handlers["last"] = last
    await plan(runtime, "last")
    run = await run_due_job(runtime)
    assert run is not None
    assert run.error == ""
    assert stolen == [None] * 8


async def test_many_workers_run_a_recurring_job_once_a_round(
    runtime: Runtime, handlers: Handlers
) -> None:
    rounds: list[str] = []

    async def note(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        rounds.append(runtime.name)

    for name in RECURRING:
        handlers[name] = note
    workers = [replace(runtime, name=f"worker {index}") for index in range(len(RECURRING))]
    await asyncio.gather(*(plan_recurring(worker) for worker in workers))
    for _ in range(2):
        await asyncio.gather(*(run_due_job(worker) for worker in workers))
    assert len(rounds) == len(RECURRING)
    advance(runtime, timedelta(seconds=5.1))
    await asyncio.gather(*(run_due_job(worker) for worker in workers))
    soon = [rule for rule in RECURRING.values() if rule == Every(timedelta(seconds=5))]
    assert len(rounds) == len(RECURRING) + len(soon)  # the rarer ones are not due yet


async def test_rounds_missed_are_not_made_up_for(runtime: Runtime, handlers: Handlers) -> None:
    await plan_recurring(runtime)
    advance(runtime, timedelta(days=2))
    ran = []
    while run := await run_due_job(runtime):
        ran.append(run.name)
    assert sorted(ran) == sorted(RECURRING)


async def test_done_jobs_are_forgotten_after_a_month(runtime: Runtime, handlers: Handlers) -> None:
    async def nothing(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        return None

    handlers["nothing"] = nothing
    await plan(runtime, "nothing")
    await run_due_job(runtime)
    advance(runtime, timedelta(days=31))
    await plan(runtime, "upkeep", "now")
    await run_due_job(runtime)
    async with runtime.sessions() as session:
        kept = await session.scalar(text("SELECT count(*) FROM job WHERE name = 'nothing'"))
    assert kept == 0


async def test_jobs_go_on_after_every_connection_was_cut(
    runtime: Runtime, handlers: Handlers
) -> None:
    ran: list[str] = []

    async def note(runtime: Runtime, payload: Mapping[str, Any]) -> None:
        ran.append("note")

    handlers["note"] = note
    await plan(runtime, "note")
    with pytest.raises(Exception) as cut:  # noqa: PT011  (whichever; it must read as an outage)
        async with runtime.sessions() as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_disconnect(cut.value)
    async with runtime.sessions() as session:
        everybody = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await session.execute(text(everybody))
    for _ in range(20):
        try:
            if await run_due_job(runtime) is None:
                break
        except Exception as error:  # noqa: BLE001
            assert is_disconnect(error)
    assert ran == ["note"]
