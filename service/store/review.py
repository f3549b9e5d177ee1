"""Texts that wait for a person, and what settles them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_WAITING = text(
    """
    SELECT i.id, i.waiting, i.received_at, i.number, i.number_key, i.body, i.rule, i.subscriber_id,
           i.question_id, g.slug AS program, p.slug AS poll, q.position
    FROM inbound_text i
    JOIN program g ON g.id = i.program_id
    LEFT JOIN question q ON q.id = i.question_id
    LEFT JOIN poll p ON p.id = q.poll_id
    WHERE i.waiting IS NOT NULL
      AND (CAST(:program AS bigint) IS NULL OR i.program_id = :program)
      AND (CAST(:poll AS text) IS NULL OR p.slug = :poll)
    ORDER BY i.waiting, i.id
    """
)
_COUNT_WAITING = text(
    """
    SELECT count(*) FROM inbound_text
    WHERE waiting IS NOT NULL AND question_id = ANY(:questions)
    """
)
_ONE = text(
    """
    SELECT i.id, i.waiting, i.outcome, i.number, i.number_key, i.body, i.message_sid,
           i.subscriber_id, i.question_id, i.program_id, q.position, q.poll_id
    FROM inbound_text i LEFT JOIN question q ON q.id = i.question_id
    WHERE i.id = :id
    """
)
_SETTLE_TEXT = text(
    """
    UPDATE inbound_text SET waiting = NULL, settled_at = :now, settled_by = :by
    WHERE id = :id AND waiting IS NOT NULL
    """
)
_SETTLE_NUMBER = text(
    """
    UPDATE inbound_text SET waiting = NULL, settled_at = :now, settled_by = :by
    WHERE waiting IS NOT NULL
      AND subscriber_id IN (
          SELECT id FROM subscriber WHERE number_key = ANY(CAST(:keys AS bytea[]))
      )
    """
)
_SETTLE_REVIEWS = text(
    """
    UPDATE inbound_text SET waiting = NULL, settled_at = :now, settled_by = :by
    WHERE subscriber_id = ANY(CAST(:subscribers AS bigint[])) AND waiting = 'review'
    """
)
_COUNTED = text("UPDATE inbound_text SET outcome = 'counted' WHERE id = :id")
_FLAGS = text(
    """
    UPDATE subscriber s SET hold = w.hold, review = w.review
    FROM (
        SELECT coalesce(bool_or(waiting = 'hold'), false) AS hold,
               coalesce(bool_or(waiting = 'review'), false) AS review
        FROM inbound_text WHERE subscriber_id = :subscriber AND waiting IS NOT NULL
    ) w
    WHERE s.id = :subscriber
    """
)
_ALIAS = text(
    "UPDATE choice SET aliases = array_append(aliases, CAST(:alias AS text)) WHERE id = :choice"
)


async def waiting_texts(
    session: AsyncSession, *, program_id: int | None = None, poll: str | None = None
) -> Sequence[Any]:
    """Texts that wait, holds first, oldest first."""
    return (await session.execute(_WAITING, {"program": program_id, "poll": poll})).all()


async def count_waiting(session: AsyncSession, questions: Sequence[int]) -> int:
    """How many replies to these questions wait for a person."""
    found = await session.scalar(_COUNT_WAITING, {"questions": list(questions)})
    return found or 0


async def one_text(session: AsyncSession, text_id: int) -> Any | None:
    """An inbound text with the question it is attributed to."""
    return (await session.execute(_ONE, {"id": text_id})).one_or_none()


async def settle_text(session: AsyncSession, text_id: int, *, by: str, now: datetime) -> None:
    """A text waits no more."""
    await session.execute(_SETTLE_TEXT, {"id": text_id, "by": by, "now": now})


async def settle_reviews(
    session: AsyncSession, subscribers: Sequence[int], *, by: str, now: datetime
) -> None:
    """Reviews of these people end; holds stay."""
    if subscribers:
        values = {"subscribers": list(subscribers), "by": by, "now": now}
        await session.execute(_SETTLE_REVIEWS, values)


async def settle_numbers(
    session: AsyncSession, keys: Sequence[bytes], *, by: str, now: datetime
) -> None:
    """Nothing of these numbers waits any more: they are out."""
    if keys:
        await session.execute(_SETTLE_NUMBER, {"keys": list(keys), "by": by, "now": now})


async def mark_counted(session: AsyncSession, text_id: int) -> None:
    """A text has become an answer that counts."""
    await session.execute(_COUNTED, {"id": text_id})


async def refresh_flags(session: AsyncSession, subscriber_id: int) -> None:
    """A person's hold and review follow from the texts that still wait."""
    await session.execute(_FLAGS, {"subscriber": subscriber_id})


async def add_alias(session: AsyncSession, choice_id: int, alias: str) -> None:
    """Teach a choice another name."""
    await session.execute(_ALIAS, {"choice": choice_id, "alias": alias})
