"""Find out what became of texts whose outcome is unknown, without ever sending one twice.

A text is in doubt when it was handed over and nobody recorded the outcome. The receipt that
carries our id heals it; else Twilio's list tells. Only when the settle time has passed and the
list still lacks it was it never taken: then a poll's text is due again, and an answer to a
member's own text, whose moment is gone, has failed.
"""

import asyncio
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
_PAGE = 200
_AT_ONCE = 10


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
        asked_at = runtime.clock.now()
        listed = await _look_up(gateway, rows)
        answered = [row for row in rows if row.number in listed]
        settled += await _settle(runtime, answered, listed, asked_at)
        if listed.is_incomplete:
            return settled


class _Listed(dict[str, list[TakenText]]):
    """What the carrier's list has, by number.

    Attributes:
        is_incomplete: the API is away, so the numbers missing here, and all others, must wait.
    """

    is_incomplete = False


async def _look_up(gateway: SmsGateway, rows: Sequence[Any]) -> _Listed:
    """List the texts to these rows' numbers, each number once, a few at a time."""
    since: dict[str, datetime] = {}
    for row in rows:
        since[row.number] = min(row.handed_at, since.get(row.number, row.handed_at))
    numbers = list(since)
    listed = _Listed()
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        answers = await asyncio.gather(
            *(_find(gateway, number, since[number]) for number in some), return_exceptions=True
        )
        for number, answer in zip(some, answers, strict=True):
            if isinstance(answer, RejectedError):
                continue  # asked again at the next round
            if isinstance(answer, SendError):
                listed.is_incomplete = True
            elif isinstance(answer, BaseException):
                raise answer
            else:
                listed[number] = answer
        if listed.is_incomplete:
            break
    return listed


async def _find(gateway: SmsGateway, number: str, handed_at: datetime) -> list[TakenText]:
    return await gateway.find(to=number, since=handed_at - _CLOCKS_DIFFER)


async def _settle(
    runtime: Runtime, rows: Sequence[Any], listed: _Listed, asked_at: datetime
) -> int:
    sids = [text.message_sid for number in listed for text in listed[number]]
    async with runtime.sessions() as session:
        ours = await known_sids(session, sids)
    moves: list[Move] = []
    for row in rows:
        unknown = [text for text in _since(listed, row) if text.message_sid not in ours]
        found = _match(row, unknown)
        if found is not None:
            ours.add(found.message_sid)
            moves.append(_found(row, found))
        elif _is_settled(runtime, row.handed_at, asked_at) and not _is_redacted(unknown):
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


def _since(listed: _Listed, row: Any) -> list[TakenText]:
    """Of the texts to a row's number, those that may be this row's."""
    earliest = row.handed_at - _CLOCKS_DIFFER
    return [
        text
        for text in listed[row.number]
        if text.created_at is None or text.created_at >= earliest
    ]


def _match(row: Any, unknown: Sequence[TakenText]) -> TakenText | None:
    """The listed text that is this row's: the same words, not another row's."""
    words = row.body.split()
    return next((text for text in unknown if text.body.split() == words), None)


def _is_redacted(unknown: Sequence[TakenText]) -> bool:
    """Whether the list holds a text without words that may be ours: then only staff can tell."""
    return any(not text.body.strip() for text in unknown)


def _found(row: Any, found: TakenText) -> Move:
    return Move(
        row.id,
        receipt_state(found.status) or DeliveryState.ACCEPTED,
        "found in the carrier's list",
        message_sid=found.message_sid,
        error_code=found.error_code,
    )


def _is_settled(runtime: Runtime, handed_at: datetime, asked_at: datetime) -> bool:
    """Whether the list already was complete for this text when it was asked for."""
    return asked_at - handed_at > timedelta(seconds=runtime.settle_seconds)


def _never_taken(row: Any) -> Move:
    if row.inbound_sid:
        return Move(row.id, DeliveryState.FAILED, "the carrier never took it")
    return Move(row.id, DeliveryState.READY, "the carrier never took it")
