"""Facts about the installation, settled by whichever process comes first."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_SETTLE = text(
    """
    INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING
    """
)
_READ = text("SELECT value FROM installation WHERE name = :name")


async def settle(session: AsyncSession, name: str, value: str) -> str:
    """Store ``value`` under ``name`` unless something stands there; gives what stands."""
    await session.execute(_SETTLE, {"name": name, "value": value})
    stored: str = (await session.execute(_READ, {"name": name})).scalar_one()
    return stored
