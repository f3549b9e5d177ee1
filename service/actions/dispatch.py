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

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.call_slots import CallSlots
from service.actions.carrier_call import call_carrier, sleep_until
from service.actions.failures import Failure, settle_failures
from service.actions.opt_out import UNSUBSCRIBED, record_carrier_opt_outs
from service.actions.trouble import report_refusals
from service.domain.deliveries import UNASKED, DeliveryState, Purpose
from service.domain.gate import Verdict, may_be_answered, may_be_sent
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.runtime import Runtime
from service.sms.gateway import SmsGateway
from service.store.deliveries import Move, move
from service.store.engine import lock_numbers, once_more_if_disconnected
from service.store.failures import drop_needless_retries
from service.store.hindsight import answers_among
from service.store.standing import leased_with_standing
from service.store.turns import ClaimedText, Source, claim, due_sources, put_back, reserve_rate

LEASE = timedelta(seconds=20)
"""Longer than a batch waits for its turn at the shared rate, with twenty workers sharing it."""
_TURN_SECONDS = 0.25
_LARGEST_TURN = 100
_FEWEST_SHARED_SLOTS = 10
_AHEAD = timedelta(seconds=1)
"""How far ahead the turns of one sender are given away."""
_LATE = timedelta(seconds=0.1)
"""A turn that waited longer for its slots reserves anew, so no second has a tenth too many."""


async def dispatch_batch(runtime: Runtime, gateway: SmsGateway, slots: CallSlots) -> bool:
    """Send one batch of due texts.

    Args:
        slots: shared by all batches of this process.

    Returns:
        Whether anything was due that may be sent: nothing may while the carrier is silent.
    """
    if not slots.allowed:
        return False
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
        await sleep_until(runtime, _first_free(sources, now))
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
    await sleep_until(runtime, start)
    granted = await slots.take(len(texts))
    try:
        await _put_back(runtime, texts[granted:])
        texts = texts[:granted]
        while granted and runtime.clock.now() - start > _LATE:  # what was reserved has passed
            start = await _reserve(runtime, program, texts, rate)
            await sleep_until(runtime, start)
        handed = await _hand_over(runtime, program, texts)
    except BaseException:
        slots.give_back(granted)
        raise
    slots.give_back(granted - len(handed))
    mark = slots.mark()
    outcomes = await asyncio.gather(
        *(
            call_carrier(runtime, gateway, program, text, slots, mark, at)
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
    just_sent: Counter[str] = Counter()
    async with runtime.sessions.begin() as session:
        await lock_numbers(session, (lock_key(text.number_key) for text in texts))
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
