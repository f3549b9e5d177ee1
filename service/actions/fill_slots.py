"""Fill the weekly slots from the queues of drafts, each week once, and warn of empty ones.

All that is done about a program's slot happens under its row's lock, and a week is a row of its
own: so any number of workers, or a job that dies and runs again, fill it once.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.poll_changes import key_of
from service.actions.polls import schedule_within
from service.actions.slots import slot_of
from service.domain.alerts import AlertKind
from service.domain.polls import PollState
from service.domain.slots import WARN_HOURS, Occurrence, OccurrenceState, WeeklySlot, warning_due
from service.domain.spoken_times import spoken_time
from service.errors import PollwireError
from service.runtime import Runtime
from service.store import tables
from service.store.alerts import raise_alert, settle_alert
from service.store.polls import count_audience, poll_by_id
from service.store.slot_queue import queued_drafts
from service.store.slots import (
    forget_planned,
    keep_occurrence,
    lock_program,
    missed,
    poll_opening_between,
    programs_with_slot,
    skipped_days,
)

FILL_JOB = "fill_slots"
_ACTOR = "slot"


async def fill_slots(runtime: Runtime) -> None:
    """See to the next slot of every program that has one."""
    async with runtime.sessions() as session:
        programs = await programs_with_slot(session)
    for program_id in programs:
        async with runtime.sessions.begin() as session:
            program = await lock_program(session, program_id)
            slot = slot_of(program)
            if slot is not None:
                await _see_to(runtime, session, program, slot)


async def _see_to(
    runtime: Runtime, session: AsyncSession, program: tables.Program, slot: WeeklySlot
) -> None:
    now, key = runtime.clock.now(), _key(program)
    drafts = await queued_drafts(session, key)
    for past in await missed(session, key, now):
        past.state = OccurrenceState.EMPTY
        if drafts:
            sentence = f"{_slot_of(past)} passed without a poll though drafts are queued."
            await _alert(session, past, "passed", sentence, now)
    week = await _next_week(session, key, slot, now)
    if week.state is OccurrenceState.FILLED:
        return
    poll_id = await _scheduled_by_hand(session, week)
    if poll_id is None and drafts and now >= week.opens_at - _lead(program):
        poll_id = await _take(runtime, session, program, week, drafts[0])
    if poll_id is not None:
        week.state, week.poll_id = OccurrenceState.FILLED, poll_id
        for matter in (
            *(f"{hours}h" for hours in (WARN_HOURS, program.slot_lead_hours)),
            "refused",
        ):
            await settle_alert(
                session, AlertKind.EMPTY_SLOT, _matter(week, matter), by=_ACTOR, now=now
            )
    elif not drafts:
        await _warn(session, program, week, now)


async def _next_week(
    session: AsyncSession, program_id: int, slot: WeeklySlot, now: datetime
) -> tables.SlotOccurrence:
    """The next week that is not skipped, stored, as are those skipped before it."""
    skipped = await skipped_days(session, program_id)
    coming: list[Occurrence] = []
    for one in slot.occurrences(now, skipped):
        coming.append(one)
        if not one.skipped:
            break
    await forget_planned(session, program_id, now, but=[one.day for one in coming])
    weeks = [await keep_occurrence(session, program_id, one) for one in coming]
    # A week whose day became one to skip after its poll was scheduled keeps the poll.
    return next((week for week in weeks if week.state is OccurrenceState.FILLED), weeks[-1])


async def _scheduled_by_hand(session: AsyncSession, week: tables.SlotOccurrence) -> int | None:
    """A poll that staff have set for the day themselves takes its slot."""
    first = datetime.combine(week.day, datetime.min.time(), ZoneInfo(week.timezone))
    return await poll_opening_between(session, week.program_id, first, first + timedelta(days=1))


async def _take(
    runtime: Runtime,
    session: AsyncSession,
    program: tables.Program,
    week: tables.SlotOccurrence,
    draft: tables.Poll,
) -> int | None:
    """Schedule the first draft; ``None`` if that is refused: then staff are told why.

    ``None`` too if it is no draft any more.
    """
    now, slug, key = runtime.clock.now(), draft.slug, key_of(draft)
    try:
        async with session.begin_nested():
            poll = await poll_by_id(session, key)
            if poll.state is not PollState.DRAFT:
                return None  # staff were faster: what they decided stands
            await schedule_within(
                runtime,
                session,
                poll,
                opens_at=week.opens_at,
                closes_at=week.opens_at + timedelta(hours=program.slot_open_hours),
                confirmed_people=await count_audience(session, poll.program_id, poll.audience),
                actor=_ACTOR,
            )
    except PollwireError as error:
        if week.refusal != str(error):
            week.refusal = str(error)
            matter = _matter(week, "refused")
            await settle_alert(session, AlertKind.EMPTY_SLOT, matter, by=_ACTOR, now=now)
            sentence = f"{_slot_of(week)} could not take {slug}: {error}"
            await _alert(session, week, "refused", sentence, now)
        return None
    return key


async def _warn(
    session: AsyncSession, program: tables.Program, week: tables.SlotOccurrence, now: datetime
) -> None:
    hours = warning_due(week.opens_at, now, program.slot_lead_hours)
    if hours is None or (week.warned_hours is not None and week.warned_hours <= hours):
        return
    week.warned_hours = hours
    sentence = f"{_slot_of(week)} has no poll. Queue a draft: pollwire slot queue add SLUG"
    await _alert(session, week, f"{hours}h", sentence, now)


async def _alert(
    session: AsyncSession,
    week: tables.SlotOccurrence,
    what: str,
    sentence: str,
    now: datetime,
) -> None:
    await raise_alert(
        session,
        AlertKind.EMPTY_SLOT,
        _matter(week, what),
        sentence,
        now=now,
        program_id=week.program_id,
    )


def _matter(week: tables.SlotOccurrence, what: str) -> str:
    return f"slot:{week.program_id}:{week.day}:{what}"


def _slot_of(week: tables.SlotOccurrence) -> str:
    return f"The slot of {spoken_time(week.opens_at, week.timezone)}"


def _lead(program: tables.Program) -> timedelta:
    return timedelta(hours=program.slot_lead_hours)


def _key(program: tables.Program) -> int:
    assert program.id is not None  # noqa: S101  (a stored row has its key)
    return program.id
