"""Composition root of the background: job lanes and dispatcher lanes until told to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from service.actions.backfill import backfill
from service.actions.call_slots import CallSlots
from service.actions.dispatch import dispatch_batch
from service.actions.jobs import plan_recurring, run_due_job
from service.logs import Outage
from service.runtime import Runtime

_log = logging.getLogger(__name__)

DISPATCH_LANES = 4
JOB_LANES = 2
_IDLE_SECONDS = 0.25
_AFTER_ERROR_SECONDS = 1.0
_LOOK_BACK_SECONDS = 120.0


class Next(Enum):
    """What a lane does after a piece of work."""

    AGAIN = auto()
    REST = auto()
    ENOUGH = auto()


async def run_worker(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set; what is under way is finished first."""
    gateway = runtime.gateway
    slots = CallSlots(runtime.send_concurrency, runtime.clock)

    async def run_job() -> Next:
        run = await run_due_job(runtime)
        if run is not None and run.error:
            _log.error("job %s (%s) failed: %s", run.name, run.key, run.error)
        return Next.REST if run is None else Next.AGAIN

    async def run_dispatch() -> Next:
        sent = gateway is not None and await dispatch_batch(runtime, gateway, slots)
        return Next.AGAIN if sent else Next.REST

    async def plan() -> Next:
        await plan_recurring(runtime)
        return Next.ENOUGH

    if gateway is None:
        _log.warning("no Twilio account is configured: polls open and close, nothing is sent")
    outage = Outage(_log)
    await _lane(plan, stop, outage)
    await _look_back(runtime, stop)

    async with asyncio.TaskGroup() as lanes:
        lanes.create_task(_close_at(stop, slots))
        for _ in range(JOB_LANES):
            lanes.create_task(_lane(run_job, stop, outage))
        for _ in range(DISPATCH_LANES if gateway is not None else 0):
            lanes.create_task(_lane(run_dispatch, stop, outage))


async def _close_at(stop: asyncio.Event, slots: CallSlots) -> None:
    """Lanes that wait for slots when told to stop begin nothing any more."""
    await stop.wait()
    slots.close()


async def _look_back(runtime: Runtime, stop: asyncio.Event) -> None:
    """Before anything is sent: who has said stop while nobody listened? The job comes later."""
    if runtime.gateway is None:
        return
    look = asyncio.create_task(backfill(runtime, runtime.gateway))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait(
        {look, told}, timeout=_LOOK_BACK_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    for task in (look, told):
        task.cancel()
    outcome, _ = await asyncio.gather(look, told, return_exceptions=True)
    if isinstance(outcome, BaseException):  # the job tries again every minute
        _log.warning("texts that got lost were not looked for: %s", type(outcome).__name__)


async def _lane(work: Callable[[], Awaitable[Next]], stop: asyncio.Event, outage: Outage) -> None:
    """Repeat ``work`` while it finds something, rest while it does not, outlive any failure."""
    while not stop.is_set():
        try:
            coming = await work()
        except Exception as error:  # noqa: BLE001  (a lane never dies of one failure)
            outage.note(error, "background work")
            await _rest(stop, _AFTER_ERROR_SECONDS)
            continue
        outage.ended()
        if coming is Next.ENOUGH:
            return
        if coming is Next.REST:
            await _rest(stop, _IDLE_SECONDS)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake at once when told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
