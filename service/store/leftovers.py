"""Texts that a poll leaves unsent when it is over, cancelled some thousands at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the order of turns a chunk ended."""

    not_before: datetime
    id: int


START = Place(datetime(1970, 1, 1, tzinfo=UTC), 0)
"""Before every text."""


# The poll's texts that wait are walked in the index that their turns are taken from, onwards from
# where the chunk before ended: so no chunk walks what the others have cancelled.
_CHUNK = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT not_before, id FROM delivery
        WHERE poll_id = :poll AND state IN ('ready', 'deferred')
          AND (not_before, id) > (CAST(:not_before AS timestamptz), CAST(:after AS bigint))
        ORDER BY not_before, id LIMIT :size
    ), locked AS MATERIALIZED (
        SELECT id FROM delivery
        WHERE id = ANY (ARRAY(SELECT id FROM waiting)) AND purpose IN ('ask', 'reminder')
          AND state IN ('ready', 'deferred', 'leased')
        ORDER BY id FOR NO KEY UPDATE
    ), cancelled AS (
        UPDATE delivery SET state = 'cancelled', reason = :reason, settled_at = :now,
                            leased_until = NULL, leased_by = NULL
        WHERE id = ANY (ARRAY(SELECT id FROM locked))
    )
    SELECT not_before, id FROM waiting ORDER BY not_before DESC, id DESC LIMIT 1
    """
)
_LEASED = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT id FROM delivery
        WHERE state = 'leased' AND poll_id = :poll AND inbound_sid IS NULL AND purpose <> 'results'
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE delivery SET state = 'cancelled', reason = :reason, settled_at = :now,
                        leased_until = NULL, leased_by = NULL
    WHERE id = ANY (ARRAY(SELECT id FROM locked))
    """
)


async def cancel_chunk(
    session: AsyncSession, poll_id: int, after: Place, *, reason: str, size: int, now: datetime
) -> Place | None:
    """Questions and reminders that come after ``after`` are not sent; gives where the chunk ended.

    Returns:
        ``None`` when nothing more waits.
    """
    values = {
        "poll": poll_id,
        "not_before": after.not_before,
        "after": after.id,
        "reason": reason,
        "size": size,
        "now": now,
    }
    row = (await session.execute(_CHUNK, values)).one_or_none()
    return Place(*row) if row else None


async def cancel_leased(session: AsyncSession, poll_id: int, *, reason: str, now: datetime) -> None:
    """Those that a worker has claimed and not handed over are not sent either."""
    await session.execute(_LEASED, {"poll": poll_id, "reason": reason, "now": now})
