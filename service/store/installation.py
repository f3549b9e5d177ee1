"""Facts about the installation, settled by whichever process comes first."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NUMBER_KEY_FINGERPRINT = "number_key_fingerprint"

_SETTLE = text(
    """
    INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING
    """
)
_READ = text("SELECT value FROM installation WHERE name = :name")


def clock_offset(start: datetime) -> str:
    """The name of the seconds by which a clock that starts at ``start`` is shifted."""
    return f"clock:{start.isoformat()}"


async def settle(session: AsyncSession, name: str, value: str) -> str:
    """Store ``value`` under ``name`` unless something stands there; gives what stands."""
    await session.execute(_SETTLE, {"name": name, "value": value})
    stored: str = (await session.execute(_READ, {"name": name})).scalar_one()
    return stored


async def standing(session: AsyncSession, name: str) -> str | None:
    """What stands under ``name``; settles nothing."""
    found: str | None = await session.scalar(_READ, {"name": name})
    return found
