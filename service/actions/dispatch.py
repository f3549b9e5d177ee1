"""Hand due texts to the carrier, each once.

Take slots, claim with a lease and reserve rate, look a last time, mark *handed* and commit, call
outside any transaction, record.

A text is handed over at most once for each time it is marked so: between the commit of *handed*
and the recorded outcome it is nobody's to send. If the process dies there, the text is in doubt
and ``actions.reconcile`` finds out.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.call_slots import CallSlots
from service.actions.carrier_call import call_carrier, sleep_until
from service.actions.failures import Failure, settle_failures
from service.actions.opt_out import Refusal, record_carrier_opt_outs
from service.actions.trouble import report_refusals
from service.domain.carrier_errors import UNSUBSCRIBED
from service.domain.deliveries import UNASKED, DeliveryState, Purpose
from service.domain.gate import Verdict, may_be_answered, may_be_sent
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.runtime import Runtime
from service.sms.gateway import SmsGateway
from service.store.deliveries import Move, move
from service.store.engine import once_more_if_disconnected
from service.store.failures import drop_needless_retries
from service.store.hindsight import answers_among
from service.store.quick import quick_transaction
from service.store.standing import leased_with_standing
from service.store.turns import (
    ClaimedText,
    Source,
    claim,
    due_sources,
    lock_rate,
    reserve_rate,
    return_rate,
)

LEASE = timedelta(seconds=20)
"""Longer than it takes to hand over what was claimed."""
_TURN_SECONDS = 0.25
_FEWEST_SHARED_SLOTS = 10
_AHEAD = timedelta(seconds=0.05)
"""How long before its moment a turn is prepared."""
_LOOK_AGAIN = timedelta(seconds=0.25)
_LATE = timedelta(seconds=0.1)
"""A turn that is later than this reserves anew, so no second has a tenth too many texts."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """Texts of one sender, claimed, and from when on its rate is theirs."""

    program: Program
    rate: int
    texts: Sequence[ClaimedText]
    start: datetime


async def dispatch_batch(runtime: Runtime, gateway: SmsGateway, slots: CallSlots) -> bool:
    """Send one batch of due texts.

    Turns of a process are prepared one after the other, each while the calls of those before are
    under way; none before it has slots, nor long before its sender's rate has room. So what is
    reserved is used, and a slow sender holds nothing for long that a fast one could use.

    Args:
        slots: shared by all batches of this process.

    Returns:
        Whether to look again at once: not where nothing is due, where all that is due is another
        process's for the moment, or while the carrier is silent.
    """
    async with slots.turn:
        granted = await slots.take(_most_texts(slots))
        if not granted:
            return False
        handed: list[ClaimedText] = []
        try:
            now = runtime.clock.now()
            sources, turn = await _claim(runtime, now, granted, slots)
            if turn is not None:
                handed = await _hand_over(runtime, turn)
        finally:
            slots.give_back(granted - len(handed))
        if turn is None:
            await sleep_until(runtime, _first_free(sources, now))
            return bool(sources)
    await _call_in_pace(runtime, gateway, turn, handed, slots)
    return bool(turn.texts)


def _most_texts(slots: CallSlots) -> int:
    """Of many slots half, so that one turn is prepared while another's calls are under way."""
    return max(slots.allowed // 2, _FEWEST_SHARED_SLOTS)


async def _claim(
    runtime: Runtime, now: datetime, most: int, slots: CallSlots
) -> tuple[Sequence[Source], _Turn | None]:
    """Everything that is due, and the turn of one sender whose rate has room, if there is one.

    The rate is locked before any text is: who waits for it keeps no member waiting.
    """
    async with quick_transaction(runtime.sessions) as session:
        programs = await runtime.catalog.programs(session)
        sources = await due_sources(session, now)
        source = _choose(sources, now, slots)
        if source is None:
            return sources, None
        program = programs.by_id(source.program_id)
        rate = runtime.send_rate or program.send_rate
        free_at = await lock_rate(session, program.sender, now)
        if not _has_room(free_at, runtime.clock.now()):
            return sources, None
        # Few enough that pausing, stopping and pacing stay prompt.
        size = max(1, min(most, int(rate * _TURN_SECONDS)))
        texts = await claim(session, source, name=runtime.name, now=now, lease=LEASE, size=size)
        start = await _reserve(runtime, session, program, texts, rate) if texts else now
        return sources, _Turn(program, rate, texts, start)


def _choose(sources: Sequence[Source], now: datetime, slots: CallSlots) -> Source | None:
    """Answers before polls, polls in turn; none whose sender has its next turn given away."""
    free = [one for one in sources if _has_room(one.free_at, now)]
    first = [one for one in free if one.poll_id is None]
    among = first or free
    # Only a turn that is taken counts: looks in between would always pass the same one over.
    return among[next(slots.turns) % len(among)] if among else None


def _has_room(free_at: datetime | None, now: datetime) -> bool:
    return free_at is None or free_at <= now + _AHEAD


def _first_free(sources: Sequence[Source], now: datetime) -> datetime:
    """When to look again: soon, for something more urgent may come."""
    frees = [one.free_at - _AHEAD for one in sources if one.free_at is not None]
    return min([*frees, now + _LOOK_AGAIN]) if sources else now


async def _call_in_pace(
    runtime: Runtime,
    gateway: SmsGateway,
    turn: _Turn,
    handed: Sequence[ClaimedText],
    slots: CallSlots,
) -> None:
    """Call from the turn's start on, as the rate allows, and record what came of it."""
    try:
        start = await _correct_rate(runtime, turn, handed)
    except BaseException:
        slots.give_back(len(handed))
        raise
    if not handed:
        return
    mark = slots.mark()
    outcomes = await asyncio.gather(
        *(
            call_carrier(runtime, gateway, turn.program, text, slots, mark, at)
            for text, at in _paced(handed, start, turn.rate)
        ),
        return_exceptions=True,
    )
    moves = [outcome for outcome in outcomes if isinstance(outcome, Move)]
    await once_more_if_disconnected(lambda: _record(runtime, handed, moves))
    for outcome in outcomes:
        # What became of its text is unknown; the others' outcomes must not be lost with it.
        if isinstance(outcome, BaseException):
            raise outcome


async def _correct_rate(runtime: Runtime, turn: _Turn, handed: Sequence[ClaimedText]) -> datetime:
    """When the calls begin: anew where the turn is late. What did not leave gives its rate back."""
    is_late = bool(handed) and runtime.clock.now() - turn.start > _LATE
    unused = _segments(turn.texts) - _segments(handed)
    if not is_late and not unused:
        return turn.start
    async with quick_transaction(runtime.sessions) as session:
        await return_rate(session, turn.program.sender, segments=unused, rate=turn.rate)
        if is_late:
            return await _reserve(runtime, session, turn.program, handed, turn.rate)
    return turn.start


async def _record(runtime: Runtime, texts: Sequence[ClaimedText], moves: Sequence[Move]) -> None:
    refused = {one.id for one in moves if one.error_code == UNSUBSCRIBED}
    blocked = [
        Refusal(text.number, text.number_key, text.handed_at)
        for text in texts
        if text.id in refused
    ]
    failed = {one.id: one for one in moves if one.state is DeliveryState.FAILED}
    now = runtime.clock.now()
    locks = [lock_key(text.number_key) for text in texts if text.id in failed]
    async with quick_transaction(runtime.sessions, locks) as session:
        await move(session, moves, now)
        await record_carrier_opt_outs(session, blocked, now)
        failures = [Failure(one.id, one.error_code) for one in failed.values()]
        await settle_failures(session, failures, now)
    await report_refusals(runtime, {one.id: one.error_code for one in moves if one.error_code})


async def _reserve(
    runtime: Runtime,
    session: AsyncSession,
    program: Program,
    texts: Sequence[ClaimedText],
    rate: int,
) -> datetime:
    now = runtime.clock.now()
    return await reserve_rate(
        session, program.sender, segments=_segments(texts), rate=rate, now=now
    )


def _segments(texts: Sequence[ClaimedText]) -> int:
    return sum(text.segments for text in texts)


async def _hand_over(runtime: Runtime, turn: _Turn) -> list[ClaimedText]:
    """Under the numbers' locks: those that may still be sent, now marked *handed*."""
    if not turn.texts:
        return []
    texts, program = turn.texts, turn.program
    by_id = {text.id: text for text in texts}
    moves, handed = [], []
    just_sent: Counter[str] = Counter()
    locks = [lock_key(text.number_key) for text in texts]
    async with quick_transaction(runtime.sessions, locks) as session:
        now = runtime.clock.now()
        retries = [text.id for text in texts if text.retry_of is not None]
        if retries:
            await drop_needless_retries(session, retries, now)
        answers = await _judge_answers(session, texts, now)
        standings = await leased_with_standing(session, list(by_id), runtime.name, now)
        for key, standing in standings.items():
            # Two texts to one number may be in one turn: the second counts the first.
            sent = standing.sent.plus(just_sent[standing.number], now)
            verdict = may_be_sent(replace(standing, sent=sent), program, now)
            if verdict.state is DeliveryState.HANDED:
                verdict = answers.get(key, verdict)
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


async def _judge_answers(
    session: AsyncSession, texts: Sequence[ClaimedText], now: datetime
) -> dict[int, Verdict]:
    """The verdicts on those that answer a member's own text."""
    answers = [text.id for text in texts if text.inbound_sid]
    if not answers:
        return {}
    return {
        key: may_be_answered(
            Purpose(row.purpose), row.received_at, now, stopped_since=row.stopped_since
        )
        for key, row in (await answers_among(session, answers)).items()
    }


def _paced(
    texts: Sequence[ClaimedText], start: datetime, rate: int
) -> list[tuple[ClaimedText, datetime]]:
    """Each text with the moment its segments are due."""
    paced, before = [], 0
    for text in texts:
        paced.append((text, start + timedelta(seconds=before / rate)))
        before += text.segments
    return paced
