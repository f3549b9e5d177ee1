"""Weekly slots: the weeks to come, and the days without a poll."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.domain.polls import PollState
from service.domain.slots import Occurrence, OccurrenceState
from service.store.polls import find_poll
from service.store.tables import Poll, Program, SlotOccurrence, SlotSkip

_OPEN_QUESTION = (OccurrenceState.PLANNED, OccurrenceState.SKIPPED)
_STANDING = (PollState.SCHEDULED, PollState.OPEN, PollState.PAUSED)


async def programs_with_slot(session: AsyncSession) -> Sequence[int]:
    """Keys of the programs that have a weekly slot."""
    query = select(Program.id).where(col(Program.slot).is_not(None)).order_by(col(Program.id))
    return [key for key in await session.scalars(query) if key is not None]


async def lock_program(session: AsyncSession, program_id: int) -> Program:
    """A program's row; whoever changes its slot, its queue or its schedule holds it."""
    query = select(Program).where(Program.id == program_id).with_for_update(key_share=True)
    query = query.execution_options(populate_existing=True)
    return (await session.scalars(query)).one()


async def hold_poll(session: AsyncSession, slug: str) -> tuple[Program, Poll]:
    """A program and a poll of it, both held: what is scheduled beside it stands still."""
    program = await lock_program(session, (await find_poll(session, slug)).program_id)
    return program, await find_poll(session, slug, lock=True)


async def skipped_days(session: AsyncSession, program_id: int) -> set[date]:
    """Days on which staff want no poll."""
    query = select(col(SlotSkip.day)).where(SlotSkip.program_id == program_id)
    return set(await session.scalars(query))


async def unskip(session: AsyncSession, program_id: int, day: date) -> bool:
    """Take a day back among the slots; ``False`` where it was not skipped."""
    statement = delete(SlotSkip).where(
        col(SlotSkip.program_id) == program_id, col(SlotSkip.day) == day
    )
    found = await session.scalars(statement.returning(col(SlotSkip.id)))
    return found.one_or_none() is not None


async def find_occurrence(
    session: AsyncSession, program_id: int, day: date
) -> SlotOccurrence | None:
    """What is stored of one week's slot."""
    query = select(SlotOccurrence).where(
        SlotOccurrence.program_id == program_id, SlotOccurrence.day == day
    )
    return await session.scalar(query)


async def keep_occurrence(
    session: AsyncSession, program_id: int, coming: Occurrence
) -> SlotOccurrence:
    """Store one week's slot as it is to be now; a filled one stays as it is."""
    state = OccurrenceState.SKIPPED if coming.skipped else OccurrenceState.PLANNED
    row = await find_occurrence(session, program_id, coming.day)
    if row is None:
        row = SlotOccurrence(
            program_id=program_id,
            day=coming.day,
            local_time=coming.at,
            timezone=coming.timezone,
            opens_at=coming.opens_at,
            state=state,
        )
        session.add(row)
    elif row.state is not OccurrenceState.FILLED:
        row.local_time, row.timezone = coming.at, coming.timezone
        row.opens_at, row.state = coming.opens_at, state
    await session.flush()
    return row


async def forget_planned(
    session: AsyncSession, program_id: int, now: datetime, *, but: Collection[date] = ()
) -> None:
    """Weeks to come that have no poll are not planned any more, but for these days."""
    await session.execute(
        delete(SlotOccurrence).where(
            col(SlotOccurrence.program_id) == program_id,
            col(SlotOccurrence.opens_at) > now,
            col(SlotOccurrence.state).in_(_OPEN_QUESTION),
            col(SlotOccurrence.day).not_in(list(but)),
        )
    )


async def missed(session: AsyncSession, program_id: int, now: datetime) -> Sequence[SlotOccurrence]:
    """Weeks whose moment has come and gone without a poll."""
    query = select(SlotOccurrence).where(
        SlotOccurrence.program_id == program_id,
        SlotOccurrence.opens_at <= now,
        SlotOccurrence.state == OccurrenceState.PLANNED,
    )
    return (await session.scalars(query.order_by(col(SlotOccurrence.opens_at)))).all()


async def filled_from(
    session: AsyncSession, program_id: int, now: datetime
) -> Sequence[tuple[SlotOccurrence, Poll]]:
    """Weeks to come that have their poll."""
    query = (
        select(SlotOccurrence, Poll)
        .join(Poll, col(Poll.id) == col(SlotOccurrence.poll_id))
        .where(SlotOccurrence.program_id == program_id, SlotOccurrence.opens_at > now)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def poll_opening_between(
    session: AsyncSession, program_id: int, first: datetime, last: datetime
) -> int | None:
    """The key of a poll that stands to open from ``first`` until before ``last``."""
    query = select(Poll.id).where(
        Poll.program_id == program_id,
        col(Poll.state).in_(_STANDING),
        col(Poll.opens_at) >= first,
        col(Poll.opens_at) < last,
    )
    return await session.scalar(query.order_by(col(Poll.opens_at)).limit(1))
