"""Hand due texts to the carrier, each once.

Claim with a lease, reserve rate, mark *handed* and commit, call outside any transaction, record.

A text is handed over at most once for each time it is marked so: between the commit of *handed*
and the recorded outcome it is nobody's to send. If the process dies there, the text is in doubt
and ``actions.reconcile`` finds out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from service.actions.call_slots import CallSlots
from service.actions.failures import Failure, settle_failures
from service.actions.opt_out import UNSUBSCRIBED, record_carrier_opt_outs
from service.actions.trouble import report_refusals
from service.domain.consent import SubscriberState
from service.domain.deliveries import DeliveryState, Purpose, receipt_state
from service.domain.gate import Standing, Verdict, may_be_sent
from service.domain.phone import lock_key
from service.domain.polls import PollState
from service.domain.programs import Program
from service.errors import NotTakenError, RejectedError, SendError
from service.runtime import Runtime
from service.sms.gateway import (
    LONGEST_VALIDITY_SECONDS,
    SHORTEST_VALIDITY_SECONDS,
    OutboundText,
    SmsGateway,
)
from service.store.deliveries import (
    ClaimedText,
    Move,
    claim,
    leased_with_standing,
    move,
    put_back,
    reserve_rate,
)
from service.store.engine import lock_numbers
from service.store.failures import drop_needless_retries

LEASE = timedelta(seconds=20)
"""Longer than a batch waits for its turn at the shared rate, with twenty workers sharing it."""
_TURN_SECONDS = 0.25
_LARGEST_TURN = 100
_FEWEST_SHARED_SLOTS = 25


async def dispatch_batch(runtime: Runtime, gateway: SmsGateway, slots: CallSlots) -> int:
    """Send one batch of due texts.

    Args:
        slots: shared by all batches of this process.

    Returns:
        How many texts were claimed; 0 when nothing was due, or the carrier is silent.
    """
    if not slots.allowed:
        return 0
    async with runtime.sessions.begin() as session:
        programs = await runtime.catalog.programs(session)
        fastest = max((_turn_size(runtime, program, slots) for program in programs.all), default=1)
        claimed = await claim(
            session, name=runtime.name, now=runtime.clock.now(), lease=LEASE, size=fastest
        )
    for program in programs.all:
        texts = [text for text in claimed if text.program_id == program.identifier]
        size = _turn_size(runtime, program, slots)
        for first in range(0, len(texts), size):
            await _take_turn(runtime, gateway, program, texts[first : first + size], slots)
    return len(claimed)


def _rate(runtime: Runtime, program: Program) -> int:
    return runtime.send_rate or program.send_rate


def _turn_size(runtime: Runtime, program: Program, slots: CallSlots) -> int:
    """Texts of one turn: few enough that pausing, stopping and pacing stay prompt.

    Of many slots at most half, so that one turn is prepared while another's calls are under way.
    """
    worth = int(_rate(runtime, program) * _TURN_SECONDS)
    allowed = slots.allowed
    share = min(allowed, max(allowed // 2, _FEWEST_SHARED_SLOTS))
    return max(1, min(worth, share, _LARGEST_TURN))


async def _take_turn(
    runtime: Runtime,
    gateway: SmsGateway,
    program: Program,
    texts: Sequence[ClaimedText],
    slots: CallSlots,
) -> None:
    """Wait for the rate and for slots, hand over, call, record."""
    rate = _rate(runtime, program)
    start = await _reserve(runtime, program, texts, rate)
    await _sleep_until(runtime, start)
    granted = await slots.take(len(texts))
    try:
        await _put_back(runtime, texts[granted:])
        handed = await _hand_over(runtime, program, texts[:granted])
    except BaseException:
        slots.give_back(granted)
        raise
    slots.give_back(granted - len(handed))
    mark = slots.mark()
    moves = await asyncio.gather(
        *(
            _send(runtime, gateway, program, text, slots, mark, at)
            for text, at in _paced(handed, start, rate)
        )
    )
    await _record(runtime, handed, moves)


async def _put_back(runtime: Runtime, texts: Sequence[ClaimedText]) -> None:
    """Texts that got no slot, because the carrier is slow or silent, are due again."""
    if texts:
        async with runtime.sessions.begin() as session:
            await put_back(session, [text.id for text in texts], runtime.name)


async def _record(runtime: Runtime, texts: Sequence[ClaimedText], moves: Sequence[Move]) -> None:
    refused = {one.id for one in moves if one.error_code == UNSUBSCRIBED}
    blocked = {text.number: text.number_key for text in texts if text.id in refused}
    failed = {one.id: one for one in moves if one.state is DeliveryState.FAILED}
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, (lock_key(t.number_key) for t in texts if t.id in failed))
        await move(session, moves, now)
        await record_carrier_opt_outs(session, blocked, now)
        failures = [Failure(one.id, one.error_code) for one in failed.values()]
        await settle_failures(session, failures, now)
    await report_refusals(runtime, {one.id: one.error_code for one in moves if one.error_code})


async def _reserve(
    runtime: Runtime, program: Program, texts: Sequence[ClaimedText], rate: int
) -> datetime:
    segments = sum(text.segments for text in texts)
    async with runtime.sessions.begin() as session:
        return await reserve_rate(
            session, program.sender, segments=segments, rate=rate, now=runtime.clock.now()
        )


async def _hand_over(
    runtime: Runtime, program: Program, texts: Sequence[ClaimedText]
) -> list[ClaimedText]:
    """Under the numbers' locks: those that may still be sent, now marked *handed*."""
    by_id = {text.id: text for text in texts}
    moves, handed = [], []
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, (lock_key(text.number_key) for text in texts))
        now = runtime.clock.now()
        retries = [text.id for text in texts if text.retry_of is not None]
        if retries:
            await drop_needless_retries(session, retries, now)
        for row in await leased_with_standing(session, list(by_id), runtime.name):
            verdict = _verdict(row, by_id[row.id].number, program, now)
            moves.append(Move(row.id, verdict.state, verdict.reason, not_before=verdict.not_before))
            if verdict.state is DeliveryState.HANDED:
                handed.append(replace(by_id[row.id], expires_at=verdict.expires_at))
        await move(session, moves, now)
    return handed


def _verdict(row: Any, number: str, program: Program, now: datetime) -> Verdict:
    if row.purpose == Purpose.ALERT:  # a phone of the staff, at any hour
        if row.staff_stopped:
            return Verdict(DeliveryState.CANCELLED, "opted out")
        return Verdict(DeliveryState.HANDED)
    standing = Standing(
        number=number,
        state=SubscriberState(row.state) if row.state else None,
        hold=bool(row.hold),
        review=bool(row.review),
        timezone=row.timezone,
        poll=PollState(row.poll_state) if row.poll_state else None,
        poll_closes_at=row.closes_at,
    )
    return may_be_sent(standing, program, now)


def _paced(
    texts: Sequence[ClaimedText], start: datetime, rate: int
) -> list[tuple[ClaimedText, datetime]]:
    """Each text with the moment its segments are due."""
    paced, before = [], 0
    for text in texts:
        paced.append((text, start + timedelta(seconds=before / rate)))
        before += text.segments
    return paced


async def _send(
    runtime: Runtime,
    gateway: SmsGateway,
    program: Program,
    text: ClaimedText,
    slots: CallSlots,
    mark: int,
    at: datetime,
) -> Move:
    try:
        await _sleep_until(runtime, at)
        taken = await gateway.send(
            OutboundText(
                to=text.number,
                body=text.body,
                sender=program.sender,
                messaging_service_sid=program.messaging_service_sid,
                status_callback=runtime.status_callback(text.id),
                validity_seconds=_validity_seconds(runtime, text),
            )
        )
        slots.note(None, mark)
    except SendError as error:
        slots.note(error, mark)
        return _after_error(runtime, text, error)
    finally:
        slots.give_back()
    state = receipt_state(taken.status) or DeliveryState.ACCEPTED
    return Move(text.id, state, message_sid=taken.message_sid, attempted=True)


def _validity_seconds(runtime: Runtime, text: ClaimedText) -> int:
    """How long the carrier may keep the text in its queue, within what its API allows."""
    if text.expires_at is None:
        return LONGEST_VALIDITY_SECONDS
    left = int((text.expires_at - runtime.clock.now()).total_seconds())
    return max(SHORTEST_VALIDITY_SECONDS, min(left, LONGEST_VALIDITY_SECONDS))


def _after_error(runtime: Runtime, text: ClaimedText, error: SendError) -> Move:
    if isinstance(error, NotTakenError):
        wait = timedelta(seconds=error.retry_after_seconds * 2 ** min(text.attempts, 6))
        again_at = runtime.clock.now() + wait
        return Move(
            text.id,
            DeliveryState.READY,
            str(error),
            error_code=error.code or None,
            not_before=again_at,
            attempted=True,
        )
    if isinstance(error, RejectedError):
        return Move(
            text.id, DeliveryState.FAILED, str(error), error_code=error.code, attempted=True
        )
    return Move(text.id, DeliveryState.IN_DOUBT, str(error), attempted=True)


async def _sleep_until(runtime: Runtime, moment: datetime) -> None:
    wait = (moment - runtime.clock.now()).total_seconds()
    if wait > 0:
        await asyncio.sleep(wait)
