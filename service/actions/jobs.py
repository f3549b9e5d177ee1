"""Run background jobs: due ones under a lease with a heartbeat, again after failures, then buried.

What each job does is in one table, ``HANDLERS``; those in ``RECURRING`` come round for good.
Handlers are idempotent: a lease that expires while its process still lives runs a job twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.actions.fan_out import fan_out
from service.actions.polls import (
    CLOSE_JOB,
    FAN_OUT_JOB,
    OPEN_JOB,
    close_when_due,
    open_when_due,
)
from service.actions.reconcile import reconcile, sweep
from service.runtime import Runtime
from service.store import jobs
from service.store.jobs import ClaimedJob

LEASE = timedelta(seconds=15)
MOST_ATTEMPTS = 8
_LONGEST_BACKOFF = timedelta(minutes=30)

Handler = Callable[[Runtime, Mapping[str, Any]], Awaitable[object]]


async def _sweep(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    await sweep(runtime)


async def _reconcile(runtime: Runtime, payload: Mapping[str, Any]) -> None:
    if runtime.gateway is not None:
        await reconcile(runtime, runtime.gateway)


HANDLERS: Mapping[str, Handler] = {
    OPEN_JOB: lambda runtime, payload: open_when_due(runtime, payload["poll_id"]),
    CLOSE_JOB: lambda runtime, payload: close_when_due(runtime, payload["poll_id"]),
    FAN_OUT_JOB: lambda runtime, payload: fan_out(runtime, payload["poll_id"]),
    "sweep": _sweep,
    "reconcile": _reconcile,
}


@dataclass(frozen=True, slots=True)
class JobRun:
    """What became of one run, for the log."""

    name: str
    key: str
    error: str = ""
    dead: bool = False


def recurring(runtime: Runtime) -> Mapping[str, timedelta]:
    """Jobs that come round for good, and how often."""
    settle = timedelta(seconds=runtime.settle_seconds)
    return {
        "sweep": timedelta(seconds=5),
        "reconcile": max(timedelta(seconds=1), min(timedelta(seconds=15), settle / 4)),
    }


async def plan_recurring(runtime: Runtime) -> None:
    """Make sure each recurring job stands; any number of workers may do so."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        for name in recurring(runtime):
            await jobs.enqueue(session, name, "recurring", run_at=now, now=now)


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
    every = recurring(runtime).get(job.name)
    again_at = None
    if every is not None:
        again_at = job.run_at + every
        if again_at <= now:  # rounds missed while nobody ran are not made up for
            again_at = now + every
    async with runtime.sessions.begin() as session:
        await jobs.finish(session, job, name=runtime.name, now=now, again_at=again_at)


async def _failed(runtime: Runtime, job: ClaimedJob, error: Exception) -> JobRun:
    sentence = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    comes_round = job.name in recurring(runtime)
    dead = job.attempts >= MOST_ATTEMPTS and not comes_round
    backoff = min(timedelta(seconds=2 ** min(job.attempts, 20)), _LONGEST_BACKOFF)
    again_at = None if dead else runtime.clock.now() + backoff
    async with runtime.sessions.begin() as session:
        await jobs.fail(session, job, name=runtime.name, error=sentence, again_at=again_at)
    return JobRun(job.name, job.key, sentence, dead)


async def _keep_lease(runtime: Runtime, job: ClaimedJob) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        async with runtime.sessions.begin() as session:
            until = runtime.clock.now() + LEASE
            if not await jobs.heartbeat(session, job, name=runtime.name, until=until):
                return
