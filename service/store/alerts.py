"""Matters for the staff."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.alerts import AlertKind

_RAISE = text(
    """
    INSERT INTO alert (kind, key, program_id, poll_id, sentence, raised_at)
    SELECT CAST(:kind AS text), CAST(:key AS text), CAST(:program AS bigint), CAST(:poll AS bigint),
           CAST(:sentence AS text), CAST(:now AS timestamptz)
    WHERE NOT EXISTS (
        SELECT FROM alert WHERE kind = :kind AND key = :key AND raised_at >= :news_at
    )
    ON CONFLICT (kind, key) WHERE acknowledged_at IS NULL DO NOTHING
    RETURNING id
    """
)


async def raise_alert(
    session: AsyncSession,
    kind: AlertKind,
    key: str,
    sentence: str,
    *,
    now: datetime,
    program_id: int | None = None,
    poll_id: int | None = None,
    news_at: datetime | None = None,
) -> bool:
    """Have the staff told, with the caller's transaction; ``False`` where it stands open already.

    Args:
        key: with ``kind`` names the matter, such as ``poll:12``.
        news_at: when there last was news of the matter; staff who were told after it, and have
            acknowledged it, are not told again. Without it, they are.
        sentence: what happened and what to do; no numbers of people and no texts of theirs.
    """
    values = {
        "kind": kind.value,
        "key": key,
        "program": program_id,
        "poll": poll_id,
        "sentence": sentence,
        "now": now,
        "news_at": news_at or now + timedelta(microseconds=1),
    }
    return (await session.execute(_RAISE, values)).one_or_none() is not None
