"""Find out what became of texts whose outcome is unknown, without ever sending one twice.

A text is in doubt when it was handed over and nobody recorded the outcome. The receipt that
carries our id heals it; else Twilio's list tells. Only when the settle time has passed and the
list still lacks it was it never taken: then a poll's text is due again, and an answer to a
member's own text, whose moment is gone, has failed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from service.actions.failures import Failure, settle_failures
from service.domain.deliveries import DeliveryState, receipt_state
from service.domain.phone import lock_key
from service.errors import RejectedError, SendError
from service.runtime import Runtime
from service.sms.gateway import SmsGateway, TakenText
from service.store.deliveries import Move, move
from service.store.engine import lock_numbers
from service.store.outcomes import doubt_handed_before, free_expired_leases, in_doubt, known_sids

CALL_LIMIT = timedelta(seconds=30)
"""Longer than any call to the carrier lasts: after it an outcome can no longer be on its way."""
_CLOCKS_DIFFER = timedelta(minutes=2)
_PAGE = 50


async def sweep(runtime: Runtime) -> None:
    """Free the leases of processes that are gone, and doubt what they had handed over."""
    now = runtime.clock.now()
    limit = min(CALL_LIMIT, timedelta(seconds=runtime.settle_seconds))
    async with runtime.sessions.begin() as session:
        await free_expired_leases(session, now)
        await doubt_handed_before(session, now - limit)


async def reconcile(runtime: Runtime, gateway: SmsGateway) -> int:
    """Look up every text in doubt; gives how many were settled."""
    settled, after = 0, 0
    while True:
        async with runtime.sessions() as session:
            rows = await in_doubt(session, after=after, size=_PAGE)
        if not rows:
            return settled
        after = rows[-1].id
        settled += await _settle(runtime, gateway, rows)


async def _settle(runtime: Runtime, gateway: SmsGateway, rows: Sequence[Any]) -> int:
    moves: list[Move] = []
    taken_now: set[str] = set()
    for row in rows:
        try:
            listed = await gateway.find(to=row.number, since=row.handed_at - _CLOCKS_DIFFER)
        except RejectedError:
            continue  # asked again at the next round
        except SendError:
            break  # the API is away: so it is for all the others
        found = await _match(runtime, row, listed, taken_now)
        if found is not None:
            taken_now.add(found.message_sid)
            moves.append(
                Move(
                    row.id,
                    receipt_state(found.status) or DeliveryState.ACCEPTED,
                    "found in the carrier's list",
                    message_sid=found.message_sid,
                    error_code=found.error_code,
                )
            )
        elif _is_settled(runtime, row.handed_at) and not await _redacted(
            runtime, listed, taken_now
        ):
            moves.append(_never_taken(row))
    await _record(runtime, rows, moves)
    return len(moves)


async def _record(runtime: Runtime, rows: Sequence[Any], moves: Sequence[Move]) -> None:
    found_failed = {
        one.id: Failure(one.id, one.error_code)
        for one in moves
        if one.message_sid and one.state in (DeliveryState.FAILED, DeliveryState.UNDELIVERED)
    }
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        await lock_numbers(
            session, (lock_key(row.number_key) for row in rows if row.id in found_failed)
        )
        await move(session, moves, now)
        await settle_failures(session, list(found_failed.values()), now)


async def _match(
    runtime: Runtime, row: Any, listed: Sequence[TakenText], taken_now: set[str]
) -> TakenText | None:
    """The listed text that is this row's: the same words, not another row's."""
    words = row.body.split()
    unknown = await _unknown(runtime, listed, taken_now)
    return next((text for text in unknown if text.body.split() == words), None)


async def _unknown(
    runtime: Runtime, listed: Sequence[TakenText], taken_now: set[str]
) -> list[TakenText]:
    """The listed texts that no row of ours has."""
    async with runtime.sessions() as session:
        ours = await known_sids(session, [text.message_sid for text in listed]) | taken_now
    return [text for text in listed if text.message_sid not in ours]


async def _redacted(runtime: Runtime, listed: Sequence[TakenText], taken_now: set[str]) -> bool:
    """Whether the list holds a text without words that may be ours: then only staff can tell."""
    return any(not text.body.strip() for text in await _unknown(runtime, listed, taken_now))


def _is_settled(runtime: Runtime, handed_at: datetime) -> bool:
    return runtime.clock.now() - handed_at > timedelta(seconds=runtime.settle_seconds)


def _never_taken(row: Any) -> Move:
    if row.inbound_sid:
        return Move(row.id, DeliveryState.FAILED, "the carrier never took it")
    return Move(row.id, DeliveryState.READY, "the carrier never took it")
