"""What follows from texts that failed, whichever way their error codes came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.carrier_errors import carrier_error
from service.store.failures import plan_retries


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that the carrier refused, or could not deliver."""

    delivery_id: int
    code: int | None


async def settle_failures(
    session: AsyncSession, failures: Sequence[Failure], now: datetime
) -> None:
    """Plan the one new attempt where the table has one, within the caller's transaction.

    The caller has moved the texts to their ends and holds their numbers' locks.
    """
    lines = {failure.delivery_id: carrier_error(failure.code) for failure in failures}
    waits = {key: line.again_after for key, line in lines.items() if line.again_after is not None}
    if waits:
        await plan_retries(session, waits, now)
