"""Matters for the staff."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.alerts import AlertKind

_RAISE = text(
    """
    INSERT INTO alert (kind, key, program_id, poll_id, sentence, raised_at)
    VALUES (:kind, :key, :program, :poll, :sentence, :now)
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
) -> bool:
    """Have the staff told, with the caller's transaction; ``False`` where it stands open already.

    Args:
        key: with ``kind`` names the matter, such as ``poll:12``.
        sentence: what happened and what to do; no numbers of people and no texts of theirs.
    """
    values = {
        "kind": kind.value,
        "key": key,
        "program": program_id,
        "poll": poll_id,
        "sentence": sentence,
        "now": now,
    }
    return (await session.execute(_RAISE, values)).one_or_none() is not None


_SETTLE = text(
    """
    UPDATE alert SET acknowledged_at = :now, acknowledged_by = :by
    WHERE kind = :kind AND key = :key AND acknowledged_at IS NULL
    """
)


async def settle_alert(
    session: AsyncSession, kind: AlertKind, key: str, *, by: str, now: datetime
) -> None:
    """The matter is dealt with: it may come up anew. Nothing where it does not stand open."""
    await session.execute(_SETTLE, {"kind": kind.value, "key": key, "by": by, "now": now})
