"""Hand due texts to the carrier, each once.

Claim with a lease, reserve rate, mark *handed* and commit, call outside any transaction, record.

A text is handed over at most once for each time it is marked so: between the commit of *handed*
and the recorded outcome it is nobody's to send. If the process dies there, the text is in doubt
and ``actions.reconcile`` finds out.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from service.actions.opt_out import UNSUBSCRIBED, record_carrier_opt_outs
from service.domain.deliveries import UNASKED, DeliveryState, receipt_state
from service.domain.gate import may_be_sent
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.errors import NotTakenError, RejectedError, SendError
from service.runtime import Runtime
from service.sms.gateway import (
    LONGEST_VALIDITY_SECONDS,
    SHORTEST_VALIDITY_SECONDS,
    OutboundText,
    SmsGateway,
)
from service.store.deliveries import Move, move
from service.store.engine import lock_numbers, once_more_if_disconnected
from service.store.standing import leased_with_standing
from service.store.turns import ClaimedText, Source, claim, due_sources, reserve_rate

LEASE = timedelta(seconds=20)
"""Longer than a batch waits for its turn at the shared rate, with twenty workers sharing it."""
_SHARE_OF_SETTLE_TIME = 1 / 6
"""In which a call must begin; with the shortest settle time the rest is what a call may last."""
_TURN_SECONDS = 0.25
_LARGEST_TURN = 100
_FEWEST_SHARED_SLOTS = 25
_AHEAD = timedelta(seconds=1)
"""How far ahead the turns of one sender are given away."""
_LATE = timedelta(seconds=0.05)


class CallSlots:
    """Bounds the calls to the carrier in flight in this process.

    A turn takes all its slots before it marks its texts *handed*, so between that mark and the
    call there is nothing to wait for, and a text is never in doubt while it still stands in line.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._free = asyncio.Semaphore(most)
        self._turn = asyncio.Lock()
        self.turns = count()

    async def take(self, slots: int) -> None:
        """Take ``slots`` at once; at most ``most``."""
        async with self._turn:
            for _ in range(slots):
                await self._free.acquire()

    def give_back(self, slots: int = 1) -> None:
        """A call has ended, or will not be made."""
        for _ in range(slots):
            self._free.release()


async def dispatch_batch(runtime: Runtime, gateway: SmsGateway, slots: CallSlots) -> bool:
    """Send one batch of due texts.

    Args:
        slots: shared by all batches of this process.

    Returns:
        Whether anything was due.
    """
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        programs = await runtime.catalog.programs(session)
        sources = await due_sources(session, now)
        source = _choose(sources, now, slots)
        if source is not None:
            program = programs.by_id(source.program_id)
            size = _turn_size(runtime, program, slots)
            claimed = await claim(
                session, source, name=runtime.name, now=now, lease=LEASE, size=size
            )
    if source is None:
        await _sleep_until(runtime, _first_free(sources, now))
    elif claimed:
        await _take_turn(runtime, gateway, program, claimed, slots)
    return bool(sources)


def _choose(sources: Sequence[Source], now: datetime, slots: CallSlots) -> Source | None:
    """Answers before polls, polls in turn; none whose sender has its next turns given away.

    So a slow sender holds no lane that a fast one could use.
    """
    free = [one for one in sources if one.free_at is None or one.free_at <= now + _AHEAD]
    first = [one for one in free if one.poll_id is None]
    among = first or free
    return among[next(slots.turns) % len(among)] if among else None


def _first_free(sources: Sequence[Source], now: datetime) -> datetime:
    """When to look again: soon, for something more urgent may come."""
    frees = [one.free_at - _AHEAD for one in sources if one.free_at is not None]
    return min([*frees, now + _AHEAD])


def _rate(runtime: Runtime, program: Program) -> int:
    return runtime.send_rate or program.send_rate


def _turn_size(runtime: Runtime, program: Program, slots: CallSlots) -> int:
    """Texts of one turn: few enough that pausing, stopping and pacing stay prompt.

    Of many slots at most half, so that one turn is prepared while another's calls are under way.
    """
    worth = int(_rate(runtime, program) * _TURN_SECONDS)
    share = min(slots.most, max(slots.most // 2, _FEWEST_SHARED_SLOTS))
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
    await slots.take(len(texts))
    try:
        while runtime.clock.now() - start > _LATE:  # what was reserved has passed
            start = await _reserve(runtime, program, texts, rate)
            await _sleep_until(runtime, start)
        handed = await _hand_over(runtime, program, texts)
    except BaseException:
        slots.give_back(len(texts))
        raise
    slots.give_back(len(texts) - len(handed))
    outcomes = await asyncio.gather(
        *(
            _send(runtime, gateway, program, text, slots, at)
            for text, at in _paced(handed, start, rate)
        ),
        return_exceptions=True,
    )
    moves = [outcome for outcome in outcomes if isinstance(outcome, Move)]
    await once_more_if_disconnected(lambda: _record(runtime, handed, moves))
    for outcome in outcomes:
        # What became of its text is unknown; the others' outcomes must not be lost with it.
        if isinstance(outcome, BaseException):
            raise outcome


async def _record(runtime: Runtime, texts: Sequence[ClaimedText], moves: Sequence[Move]) -> None:
    refused = {one.id for one in moves if one.error_code == UNSUBSCRIBED}
    blocked = {text.number: text.number_key for text in texts if text.id in refused}
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, (lock_key(key) for key in blocked.values()))
        await move(session, moves, now)
        await record_carrier_opt_outs(session, blocked, now)


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
    just_sent: Counter[str] = Counter()
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, (lock_key(text.number_key) for text in texts))
        now = runtime.clock.now()
        standings = await leased_with_standing(session, list(by_id), runtime.name, now)
        for key, standing in standings.items():
            # Two texts to one number may be in one turn: the second counts the first.
            sent = standing.sent.plus(just_sent[standing.number], now)
            verdict = may_be_sent(replace(standing, sent=sent), program, now)
            moves.append(
                Move(
                    key,
                    verdict.state,
                    verdict.reason,
                    not_before=verdict.not_before,
                    checks=verdict.checks,
                )
            )
            if verdict.state is DeliveryState.HANDED:
                handed.append(replace(by_id[key], expires_at=verdict.expires_at, handed_at=now))
                just_sent[standing.number] += standing.purpose in UNASKED
        await move(session, moves, now, locked=True)
    return handed


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
    at: datetime,
) -> Move | None:
    """Make one call; gives what became of it, ``None`` where it came too late to be made."""
    try:
        await _sleep_until(runtime, at)
        if _is_too_late(runtime, text):
            return None
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
    except SendError as error:
        return _after_error(runtime, text, error)
    finally:
        slots.give_back()
    state = receipt_state(taken.status) or DeliveryState.ACCEPTED
    return Move(text.id, state, message_sid=taken.message_sid, attempted=True)


def _is_too_late(runtime: Runtime, text: ClaimedText) -> bool:
    """Whether the call might end after the settle time, when others may have sent the text.

    So it is when this process, or its machine, stood still after the text was marked *handed*.
    """
    if text.handed_at is None:
        return False
    latest = timedelta(seconds=runtime.settle_seconds * _SHARE_OF_SETTLE_TIME)
    return runtime.clock.now() - text.handed_at > latest


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
        return Move(text.id, DeliveryState.READY, str(error), not_before=again_at, attempted=True)
    if isinstance(error, RejectedError):
        return Move(
            text.id, DeliveryState.FAILED, str(error), error_code=error.code, attempted=True
        )
    return Move(text.id, DeliveryState.IN_DOUBT, str(error), attempted=True)


async def _sleep_until(runtime: Runtime, moment: datetime) -> None:
    wait = (moment - runtime.clock.now()).total_seconds()
    if wait > 0:
        await asyncio.sleep(wait)
