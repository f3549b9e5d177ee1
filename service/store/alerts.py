"""Matters for the staff."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

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


_SETTLE = text(
    """
    UPDATE alert SET acknowledged_at = :now, acknowledged_by = :by
    WHERE kind = :kind AND key = :key AND acknowledged_at IS NULL
    """
)
_DUE = text(
    """
    SELECT id, program_id, sentence, told_times FROM alert
    WHERE acknowledged_at IS NULL
      AND ((told_times = 0 AND raised_at > :not_since) OR (told_times = 1 AND told_at <= :again))
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    """
)
_TOLD = text(
    """
    UPDATE alert SET told_times = told_times + 1, told_at = :now
    WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)
_LIST = text(
    """
    SELECT a.id, a.kind, a.key, g.slug AS program, p.slug AS poll, a.sentence, a.raised_at,
           a.told_at, a.told_times, a.acknowledged_at, a.acknowledged_by
    FROM alert a LEFT JOIN program g ON g.id = a.program_id LEFT JOIN poll p ON p.id = a.poll_id
    WHERE (CAST(:id AS bigint) IS NULL OR a.id = :id)
      AND (:every OR a.acknowledged_at IS NULL)
    ORDER BY a.id DESC
    """
)
_ACKNOWLEDGE = text(
    """
    UPDATE alert SET acknowledged_at = :now, acknowledged_by = :actor
    WHERE acknowledged_at IS NULL
      AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))
    RETURNING id
    """
)


async def settle_alert(
    session: AsyncSession, kind: AlertKind, key: str, *, by: str, now: datetime
) -> None:
    """The matter is dealt with: it may come up anew. Nothing where it does not stand open."""
    await session.execute(_SETTLE, {"kind": kind.value, "key": key, "by": by, "now": now})


async def alerts_to_tell(
    session: AsyncSession, *, not_since: datetime, again: datetime
) -> Sequence[Any]:
    """Open alerts that nobody was told of yet, or once only; locked.

    Args:
        not_since: older ones that were never told are left: there was nobody to tell.
        again: those told by then, once, are due a second time.
    """
    return (await session.execute(_DUE, {"not_since": not_since, "again": again})).all()


async def mark_told(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Staff have been told of these alerts once more."""
    await session.execute(_TOLD, {"ids": list(ids), "now": now})


async def list_alerts(
    session: AsyncSession, *, every: bool = False, alert_id: int | None = None
) -> Sequence[Any]:
    """Open alerts, newest first.

    Args:
        every: those acknowledged too.
        alert_id: only this one.
    """
    return (await session.execute(_LIST, {"every": every, "id": alert_id})).all()


async def acknowledge(
    session: AsyncSession, ids: Sequence[int] | None, *, actor: str, now: datetime
) -> list[int]:
    """Somebody has seen these open alerts, all of them with ``None``; gives their keys."""
    values = {"ids": None if ids is None else list(ids), "actor": actor, "now": now}
    return sorted(await session.scalars(_ACKNOWLEDGE, values))
