"""Run background jobs: due ones under a lease with a heartbeat, again after failures, then buried.

What each job does is in one table, ``HANDLERS``; those in ``RECURRING`` come round for good.
Handlers are idempotent: a lease that expires while its process still lives runs a job twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from service.actions.alerts import WEBHOOK_JOB, post_alert, tell_staff
from service.actions.backfill import backfill
from service.actions.broadcasts import REMIND_JOB, RESULTS_JOB, remind, send_results
from service.actions.carrier_lists import compare_refusals, suspend_deactivated
from service.actions.doubts import watch_doubts
from service.actions.fan_out import fan_out
from service.actions.fill_slots import FILL_JOB, fill_slots
from service.actions.hold_warnings import warn_of_holds
from service.actions.leftovers import LEFTOVERS_JOB, cancel_leftovers
from service.actions.polls import (
    CLOSE_JOB,
    FAN_OUT_JOB,
    OPEN_JOB,
    close_when_due,
    open_when_due,
)
from service.actions.reconcile import reconcile, sweep
from service.actions.review import lapse_holds
from service.actions.trouble import watch_polls
from service.domain.schedule import Daily, Every, Recurrence
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import jobs
from service.store.jobs import ClaimedJob

LEASE = timedelta(seconds=15)
MOST_ATTEMPTS = 8
KEEP_DONE = timedelta(days=30)
_LONGEST_BACKOFF = timedelta(minutes=30)

Handler = Callable[[Runtime, Mapping[str, Any]], Awaitable[object]]


async def _sweep(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    await sweep(runtime)


async def _reconcile(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    if runtime.gateway is not None:
        await reconcile(runtime, runtime.gateway)


async def _watch(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    await watch_polls(runtime)
    await watch_doubts(runtime)


async def _backfill(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    if runtime.gateway is not None:
        await backfill(runtime, runtime.gateway)


async def _refusals(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    if runtime.gateway is not None:
        await compare_refusals(runtime, runtime.gateway)


async def _deactivations(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    if runtime.gateway is not None:
        await suspend_deactivated(runtime, runtime.gateway)


async def _upkeep(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    async with runtime.sessions.begin() as session:
        await jobs.forget_done(session, runtime.clock.now() - KEEP_DONE)


async def _lapse_holds(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    await lapse_holds(runtime)
    await warn_of_holds(runtime)


async def _fill_slots(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    await fill_slots(runtime)


HANDLERS: Mapping[str, Handler] = {
    OPEN_JOB: lambda runtime, payload: open_when_due(runtime, payload["poll_id"]),
    CLOSE_JOB: lambda runtime, payload: close_when_due(runtime, payload["poll_id"]),
    FAN_OUT_JOB: lambda runtime, payload: fan_out(runtime, payload["poll_id"]),
    LEFTOVERS_JOB: lambda runtime, payload: cancel_leftovers(runtime, payload["poll_id"]),
    REMIND_JOB: lambda runtime, payload: remind(runtime, payload["poll_id"]),
    RESULTS_JOB: lambda runtime, payload: send_results(runtime, payload["poll_id"]),
    "sweep": _sweep,
    "reconcile": _reconcile,
    "watch": _watch,
    "tell_staff": lambda runtime, payload: tell_staff(runtime),
    WEBHOOK_JOB: lambda runtime, payload: post_alert(runtime, payload["alert_id"]),
    "backfill": _backfill,
    "refusals": _refusals,
    "deactivations": _deactivations,
    "upkeep": _upkeep,
    "lapse_holds": _lapse_holds,
    FILL_JOB: _fill_slots,
}


@dataclass(frozen=True, slots=True)
class JobRun:
    """What became of one run, for the log."""

    name: str
    key: str
    error: str = ""
    dead: bool = False


RECURRING: Mapping[str, Recurrence] = {
    "sweep": Every(timedelta(seconds=5)),
    "reconcile": Every(timedelta(seconds=5)),
    "watch": Every(timedelta(seconds=5)),
    "tell_staff": Every(timedelta(seconds=10)),
    "backfill": Every(timedelta(minutes=1)),
    "lapse_holds": Every(timedelta(minutes=10)),
    FILL_JOB: Every(timedelta(minutes=1)),
    "upkeep": Daily(time(3, 30), "UTC"),
    "refusals": Daily(time(4), "UTC"),
    "deactivations": Daily(time(12), "UTC"),
}


async def plan_recurring(runtime: Runtime) -> None:
    """Make sure each recurring job stands; any number of workers may do so."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        for name in RECURRING:
            await jobs.plan_recurring(session, name, now)


async def list_jobs(runtime: Runtime, *, dead_only: bool = False) -> list[dict[str, Any]]:
    """Jobs that are not done, dead ones first."""
    async with runtime.sessions() as session:
        return await jobs.unfinished(session, dead_only=dead_only)


async def retry_job(runtime: Runtime, job_id: int) -> None:
    """Give a dead job another life, because a person has mended what killed it.

    Raises:
        RefusedError: there is no such dead job.
    """
    async with runtime.sessions.begin() as session:
        if not await jobs.revive(session, job_id, runtime.clock.now()):
            raise RefusedError(f"job {job_id} is not dead")


async def run_due_job(runtime: Runtime) -> JobRun | None:
    """Run the job that has been due longest; ``None`` when none is."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        job = await jobs.claim(session, name=runtime.name, now=now, lease=LEASE)
    if job is None:
        return None
    beat = asyncio.create_task(_keep_lease(runtime, job))
    try:
        await HANDLERS[job.name](runtime, job.payload)
    except Exception as error:  # noqa: BLE001  (a job may fail in any way)
        return await _failed(runtime, job, error)
    finally:
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat
    await _succeeded(runtime, job)
    return JobRun(job.name, job.key)


async def _succeeded(runtime: Runtime, job: ClaimedJob) -> None:
    now = runtime.clock.now()
    recurrence = RECURRING.get(job.name)
    again_at = None
    if recurrence is not None:
        again_at = recurrence.next_after(job.run_at)
        if again_at <= now:  # rounds missed while nobody ran are not made up for
            again_at = recurrence.next_after(now)
    async with runtime.sessions.begin() as session:
        await jobs.finish(session, job, name=runtime.name, now=now, again_at=again_at)


async def _failed(runtime: Runtime, job: ClaimedJob, error: Exception) -> JobRun:
    sentence = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    comes_round = job.name in RECURRING
    dead = job.attempts >= MOST_ATTEMPTS and not comes_round
    backoff = min(timedelta(seconds=2 ** min(job.attempts, 20)), _LONGEST_BACKOFF)
    again_at = None if dead else runtime.clock.now() + backoff
    async with runtime.sessions.begin() as session:
        await jobs.fail(session, job, name=runtime.name, error=sentence, again_at=again_at)
    return JobRun(job.name, job.key, sentence, dead)


async def _keep_lease(runtime: Runtime, job: ClaimedJob) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        with suppress(SQLAlchemyError, OSError):  # a hiccup: the next beat may still be in time
            async with runtime.sessions.begin() as session:
                until = runtime.clock.now() + LEASE
                if not await jobs.heartbeat(session, job, name=runtime.name, until=until):
                    return
