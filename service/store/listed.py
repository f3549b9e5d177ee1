"""Who of the subscribers is listed by the carrier, and what follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# A keyword that brought somebody in shows in the state; from who was in, it changes nothing.
_CAME_IN = """
    EXISTS (
        SELECT FROM subscriber
        WHERE number_key = CAST(:key AS bytea) AND state IN ('active', 'pending')
          AND state_at > :instant
    ) OR EXISTS (
        SELECT FROM inbound_text
        WHERE number_key = CAST(:key AS bytea) AND received_at > :instant
          AND label IN ('start', 'confirm')
    )
"""
_CAME_IN_SINCE = text(f"SELECT {_CAME_IN}")
_IN_SINCE_BEFORE = text(
    f"""
    SELECT EXISTS (
        SELECT FROM subscriber
        WHERE number_key = CAST(:key AS bytea) AND state <> 'opted_out'
    ) AND NOT ({_CAME_IN})
    """
)


async def came_in_since(session: AsyncSession, key: bytes, instant: datetime) -> bool:
    """Whether a number has come in, or has said that it wants to, after ``instant``."""
    found: bool = (
        await session.execute(_CAME_IN_SINCE, {"key": key, "instant": instant})
    ).scalar_one()
    return found


async def in_since_before(session: AsyncSession, key: bytes, instant: datetime) -> bool:
    """Whether a number is in here, and has not come in or said so after ``instant``."""
    found: bool = (
        await session.execute(_IN_SINCE_BEFORE, {"key": key, "instant": instant})
    ).scalar_one()
    return found


_KEYS = text(
    """
    SELECT DISTINCT number_key FROM subscriber
    WHERE number_key = ANY(CAST(:keys AS bytea[])) AND state IN ('active', 'pending')
    """
)


async def keys_of_members(session: AsyncSession, keys: Sequence[bytes]) -> list[bytes]:
    """Which of these numbers may be texted here."""
    return list(await session.scalars(_KEYS, {"keys": list(keys)}))


_SUSPEND = text(
    """
    UPDATE subscriber s SET state = 'suspended', state_at = :now
    WHERE s.number_key = ANY(CAST(:keys AS bytea[])) AND s.state IN ('active', 'pending')
      AND s.state_at < :before
      AND NOT EXISTS (SELECT FROM inbound_text i
                      WHERE i.number_key = s.number_key AND i.received_at >= :before)
    RETURNING s.number_key, s.program_id
    """
)


async def suspend(
    session: AsyncSession, keys: Sequence[bytes], *, before: datetime, now: datetime
) -> Sequence[Any]:
    """Suspend these numbers unless their handset has spoken since; hold their locks.

    Args:
        before: the end of the day they were given up.
    """
    values = {"keys": list(keys), "before": before, "now": now}
    return (await session.execute(_SUSPEND, values)).all()
