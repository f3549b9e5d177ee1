"""What follows for a person whose text failed, whichever way its error code came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.carrier_errors import BLAMELESS, CarrierError, carrier_error, described
from service.domain.consent import ConsentEventKind
from service.store.failures import plan_retries
from service.store.subscribers import consent_event, write_consent
from service.store.suspensions import people_to_suspend, suspend


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that the carrier refused, or could not deliver."""

    delivery_id: int
    code: int | None


async def settle_failures(
    session: AsyncSession, failures: Sequence[Failure], now: datetime
) -> None:
    """Plan the one new attempt, or suspend the number, within the caller's transaction.

    The caller has moved the texts to their ends and holds their numbers' locks.
    """
    lines = {failure.delivery_id: carrier_error(failure.code) for failure in failures}
    waits = {key: line.again_after for key, line in lines.items() if line.again_after is not None}
    if waits:
        await plan_retries(session, waits, now)
    await _suspend(session, lines, now)


async def _suspend(session: AsyncSession, lines: dict[int, CarrierError], now: datetime) -> None:
    limits = {key: line.suspends_after for key, line in lines.items() if line.suspends_after}
    if not limits:
        return
    failed = await people_to_suspend(session, limits, blameless=BLAMELESS)
    suspended = await suspend(session, list(failed), now) if failed else []
    await write_consent(
        session,
        [
            consent_event(
                number_key=person.number_key,
                kind=ConsentEventKind.SUSPENSION,
                medium="carrier",
                actor="carrier",
                rule=f"{described(person.error_code)}; polls in a row: {failed[person.id]}",
                now=now,
                program_id=person.program_id,
            )
            for person in suspended
        ],
    )
