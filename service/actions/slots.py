"""A program's weekly slot: set, clear, show, skip a day."""

from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.programs import find_program
from service.domain.quiet_hours import parse_quiet_hours
from service.domain.slots import (
    Occurrence,
    OccurrenceState,
    SlotHours,
    WeeklySlot,
    parse_slot,
)
from service.errors import InvalidInputError, RefusedError
from service.runtime import Runtime
from service.store import tables
from service.store.polls import poll_by_id
from service.store.slot_queue import queued_drafts
from service.store.slots import (
    filled_from,
    find_occurrence,
    forget_planned,
    lock_program,
    skipped_days,
    unskip,
)


async def set_slot(
    runtime: Runtime,
    program: str | None,
    typed: str,
    *,
    actor: str,
    open_hours: int | None = None,
    lead_hours: int | None = None,
) -> WeeklySlot:
    """Give a program its weekly slot; what is not named stays as it is.

    Weeks that have their poll keep it.

    Raises:
        InvalidInputError: the slot or a number of hours cannot be.
        RefusedError: it lies outside the program's hours.
    """
    owner = await find_program(runtime, program)
    slot = parse_slot(typed, owner.timezone)
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        row = await lock_program(session, owner.identifier)
        slot.check(parse_quiet_hours(row.quiet_hours))
        hours = SlotHours(
            row.slot_open_hours if open_hours is None else open_hours,
            row.slot_lead_hours if lead_hours is None else lead_hours,
        )
        hours.check()
        row.slot, row.slot_set_by = str(slot), actor
        row.slot_open_hours, row.slot_lead_hours = hours.open_hours, hours.lead_hours
        await forget_planned(session, owner.identifier, now)
    runtime.catalog.forget()
    return slot


async def clear_slot(runtime: Runtime, program: str | None, *, actor: str) -> None:
    """A program has no weekly slot any more; weeks that have their poll keep it."""
    owner = await find_program(runtime, program)
    async with runtime.sessions.begin() as session:
        row = await lock_program(session, owner.identifier)
        row.slot, row.slot_set_by = None, actor
        await forget_planned(session, owner.identifier, runtime.clock.now())
    runtime.catalog.forget()


def slot_of(program: tables.Program) -> WeeklySlot | None:
    """A program's slot; ``None`` also for words of earlier versions that name no slot."""
    try:
        return parse_slot(program.slot, program.timezone) if program.slot else None
    except InvalidInputError:
        return None


async def skip_day(runtime: Runtime, program: str | None, day: date, *, actor: str) -> None:
    """No poll on a day that would have one.

    Raises:
        RefusedError: it has none anyway, is past, or its poll is scheduled already.
    """
    owner = await find_program(runtime, program)
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        row = await lock_program(session, owner.identifier)
        slot = slot_of(row)
        if slot is None:
            raise RefusedError(f"program {owner.slug!r} has no weekly slot")
        if day.weekday() != slot.weekday:
            raise RefusedError(f"{day} is a {day:%A}; the slot is on {slot.day_name}s")
        if slot.opens_on(day) <= now:
            raise RefusedError(f"the slot of {day} is past")
        if day in await skipped_days(session, owner.identifier):
            raise RefusedError(f"{day} is skipped already")
        await _refuse_filled(session, owner.identifier, day)
        session.add(
            tables.SlotSkip(program_id=owner.identifier, day=day, skipped_by=actor, skipped_at=now)
        )


async def _refuse_filled(session: AsyncSession, program_id: int, day: date) -> None:
    stored = await find_occurrence(session, program_id, day)
    if stored is None or stored.poll_id is None:
        return
    poll = await poll_by_id(session, stored.poll_id)
    raise RefusedError(
        f"the slot of {day} has poll {poll.slug!r} already; cancel it: pollwire poll cancel "
        f"{poll.slug}"
    )


async def unskip_day(runtime: Runtime, program: str | None, day: date) -> None:
    """A day that was skipped has its poll again.

    Raises:
        RefusedError: it was not skipped.
    """
    owner = await find_program(runtime, program)
    async with runtime.sessions.begin() as session:
        await lock_program(session, owner.identifier)
        if not await unskip(session, owner.identifier, day):
            raise RefusedError(f"{day} is not skipped")


async def show_slot(runtime: Runtime, program: str | None, *, weeks: int = 8) -> dict[str, Any]:
    """A program's slot, the weeks to come with the draft that takes each, and the queue."""
    owner = await find_program(runtime, program)
    now = runtime.clock.now()
    async with runtime.sessions() as session:
        row = await session.get_one(tables.Program, owner.identifier)
        skipped = await skipped_days(session, owner.identifier)
        drafts = await queued_drafts(session, owner.identifier)
        filled = await filled_from(session, owner.identifier, now)
    slot = slot_of(row)
    coming = list(islice(slot.occurrences(now, skipped), weeks)) if slot else []
    open_for = timedelta(hours=row.slot_open_hours)
    lines = {stored.day: _filled(stored, poll) for stored, poll in filled}
    waiting = iter(drafts)
    for one in coming:
        if one.day not in lines:
            draft = None if one.skipped else next(waiting, None)
            lines[one.day] = _planned(one, draft, open_for)
    return {
        "program": owner.slug,
        "slot": str(slot) if slot else None,
        "open_hours": row.slot_open_hours,
        "lead_hours": row.slot_lead_hours,
        "next": [lines[day] for day in sorted(lines)],
        "queue": [draft.slug for draft in drafts],
    }


def _filled(stored: tables.SlotOccurrence, poll: tables.Poll) -> dict[str, Any]:
    opens_at = poll.opens_at or stored.opens_at
    return {
        **_times(opens_at, stored.timezone, poll.closes_at),
        "state": stored.state.value,
        "poll": poll.slug,
        "poll_state": poll.state.value,
        "skipped": None,
    }


def _planned(one: Occurrence, draft: tables.Poll | None, open_for: timedelta) -> dict[str, Any]:
    state = OccurrenceState.SKIPPED if one.skipped else OccurrenceState.PLANNED
    return {
        **_times(one.opens_at, one.timezone, None if one.skipped else one.opens_at + open_for),
        "state": state.value,
        "poll": draft.slug if draft else None,
        "poll_state": draft.state.value if draft else None,
        "skipped": one.skipped or None,
    }


def _times(opens_at: datetime, timezone: str, closes_at: datetime | None) -> dict[str, Any]:
    local = opens_at.astimezone(ZoneInfo(timezone))
    return {
        "opens_at": opens_at.isoformat(),
        "local": f"{local:%a %Y-%m-%d %H:%M}",
        "timezone": timezone,
        "closes_at": closes_at.isoformat() if closes_at else None,
    }
