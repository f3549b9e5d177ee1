"""How far the carrier's lists have been read, and what of them was news."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

BACKFILL = "backfill:"
"""Before a sender's address: the list of texts to it."""

_BEGIN = text("INSERT INTO look (name, until) VALUES (:name, :first) ON CONFLICT (name) DO NOTHING")
_UNTIL = text("SELECT until FROM look WHERE name = :name")
_ADVANCE = text(
    "UPDATE look SET until = greatest(until, CAST(:until AS timestamptz)) WHERE name = :name"
)
_COUNT = text(
    "UPDATE look SET found = found + :found, found_at = :now WHERE name = :name AND :found > 0"
)
_BACKFILLED = text(
    """
    SELECT coalesce(sum(found), 0)::bigint AS texts, max(found_at) AS last_at FROM look
    WHERE starts_with(name, :prefix)
    """
)


async def begin_look(session: AsyncSession, name: str, first: datetime) -> datetime:
    """How far a list has been read: until ``first`` where nobody has looked yet."""
    await session.execute(_BEGIN, {"name": name, "first": first})
    until: datetime = (await session.execute(_UNTIL, {"name": name})).scalar_one()
    return until


async def advance_look(session: AsyncSession, name: str, until: datetime) -> None:
    """A list has been read whole until ``until``; it never goes back."""
    await session.execute(_ADVANCE, {"name": name, "until": until})


async def count_found(session: AsyncSession, name: str, found: int, now: datetime) -> None:
    """So many entries of a list were news."""
    await session.execute(_COUNT, {"name": name, "found": found, "now": now})


@dataclass(frozen=True, slots=True)
class Backfilled:
    """Texts whose webhook had got lost: how many ever, and when the last was taken in."""

    texts: int
    last_at: datetime | None


async def read_backfilled(session: AsyncSession) -> Backfilled:
    """The texts that were found in the carrier's list only."""
    row = (await session.execute(_BACKFILLED, {"prefix": BACKFILL})).one()
    return Backfilled(row.texts, row.last_at)
