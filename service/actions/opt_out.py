"""Opt-outs that do not come as a text: from staff, from the carrier."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import ConsentEventKind
from service.domain.phone import lock_key
from service.runtime import Runtime
from service.store.engine import lock_numbers
from service.store.listed import came_in_since
from service.store.subscribers import consent_event, opt_out_everywhere, write_consent


async def opt_out(runtime: Runtime, number: str, *, actor: str) -> None:
    """Take a number out of every program, as staff were asked to.

    Args:
        number: E.164; it need not be known.
        actor: who does it, such as ``cli:ana``.
    """
    key = runtime.key_of(number)
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, [lock_key(key)])
        await opt_out_within(
            session, {number: key}, now, medium="staff", actor=actor, rule="staff opt-out"
        )


class Refusal(NamedTuple):
    """The carrier's word that a number is blocked.

    Attributes:
        number: E.164.
        handed_at: when the text it refused was handed over, where that is known.
    """

    number: str
    key: bytes
    handed_at: datetime | None


async def record_carrier_opt_outs(
    session: AsyncSession, refusals: Iterable[Refusal], now: datetime
) -> None:
    """The carrier blocks these numbers: they are out. The caller holds their locks.

    Who came back after the refused text was handed over stays in: the block is of before.
    """
    blocked = {
        one.number: one.key
        for one in refusals
        if one.handed_at is None or not await came_in_since(session, one.key, one.handed_at)
    }
    await opt_out_within(
        session, blocked, now, medium="carrier", actor="carrier", rule="error 21610"
    )


async def opt_out_within(
    session: AsyncSession,
    numbers: Mapping[str, bytes],
    now: datetime,
    *,
    medium: str,
    actor: str,
    rule: str,
) -> None:
    """Opt numbers out within the caller's transaction, which holds their locks.

    Args:
        numbers: E.164 with its key.
    """
    if not numbers:
        return
    await opt_out_everywhere(session, list(numbers.values()), now)
    await write_consent(
        session,
        [
            consent_event(
                number_key=key,
                kind=ConsentEventKind.OPT_OUT,
                medium=medium,
                actor=actor,
                rule=rule,
                now=now,
            )
            for key in numbers.values()
        ],
    )
