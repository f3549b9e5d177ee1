"""The queue of drafts that wait for a weekly slot."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.domain.polls import PollState
from service.store.tables import Poll, QueuedDraft


async def queued_drafts(session: AsyncSession, program_id: int) -> list[Poll]:
    """A program's queue, the first to be taken first."""
    query = (
        select(Poll)
        .join(QueuedDraft, col(QueuedDraft.poll_id) == col(Poll.id))
        .where(QueuedDraft.program_id == program_id, Poll.state == PollState.DRAFT)
        .order_by(col(QueuedDraft.position), col(QueuedDraft.id))
    )
    return list(await session.scalars(query))


async def join_queue(
    session: AsyncSession, program_id: int, poll_id: int, *, position: int, by: str, now: datetime
) -> None:
    """Put a draft into its program's queue."""
    session.add(
        QueuedDraft(
            program_id=program_id,
            poll_id=poll_id,
            position=position,
            added_by=by,
            added_at=now,
        )
    )
    await session.flush()


async def leave_queue(session: AsyncSession, poll_id: int) -> None:
    """A draft waits no more; nothing where it did not."""
    await session.execute(delete(QueuedDraft).where(col(QueuedDraft.poll_id) == poll_id))


_NUMBER = text(
    """
    UPDATE queued_draft q SET position = k.position
    FROM unnest(CAST(:polls AS bigint[])) WITH ORDINALITY AS k (poll_id, position)
    WHERE q.poll_id = k.poll_id AND q.poll_id = ANY(CAST(:polls AS bigint[]))
    """
)


async def order_queue(session: AsyncSession, polls: Sequence[int]) -> None:
    """The queue stands in this order from now on."""
    await session.execute(_NUMBER, {"polls": list(polls)})
