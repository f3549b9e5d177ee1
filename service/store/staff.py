"""People who run polls, and the phones that alerts go to."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.store.tables import OptOut, Staff


async def list_staff(session: AsyncSession) -> Sequence[Staff]:
    """Everybody, by address."""
    return (await session.scalars(select(Staff).order_by(Staff.email))).all()


async def remove_staff(session: AsyncSession, email: str) -> bool:
    """Take a person off the staff; ``False`` where there is none."""
    result = await session.execute(delete(Staff).where(col(Staff.email) == email))
    return bool(result.rowcount)  # type: ignore[attr-defined]


async def opted_out(session: AsyncSession, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these numbers have said stop."""
    query = select(OptOut.number_key).where(col(OptOut.number_key).in_(keys))
    return set(await session.scalars(query))
