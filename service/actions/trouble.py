"""Stop a poll by itself when its texts fail, and tell the staff why.

A refusal that is the account's, or the text's own, pauses the poll at once; a large share of
failures at the next round of :func:`watch_polls`. A poll once resumed is judged anew.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.alerts import AlertKind
from service.domain.carrier_errors import FILTERED, UNSUBSCRIBED, Remedy, carrier_error, described
from service.domain.failing import FILTERED_PERCENT, fails_too_often, outcomes_to_count
from service.domain.polls import TAKING_ANSWERS, PollState
from service.runtime import Runtime
from service.store.alerts import raise_alert
from service.store.failures import (
    SendingPoll,
    count_outcomes,
    failures_by_code,
    origins,
    sending_polls,
)
from service.store.polls import poll_by_id

_AGAIN_AFTER = timedelta(days=1)
"""One matter of one poll is told at most so often."""


async def report_refusals(runtime: Runtime, codes: Mapping[int, int]) -> None:
    """Act on refused calls that are not about one person.

    Args:
        codes: the carrier's error codes by the text's key.
    """
    notable = {key: code for key, code in codes.items() if carrier_error(code).tells_staff}
    if not notable:
        return
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        rows = await origins(session, list(notable))
        # Polls are locked in one order, so that nobody deadlocks.
        matters = {(row.poll_id or 0, row.program_id, notable[row.id]) for row in rows}
        for poll_id, program_id, code in sorted(matters):
            await _act_on(session, program_id, poll_id or None, code, now)


async def watch_polls(runtime: Runtime) -> None:
    """Look at each poll that sends: does too much of it fail, and of what?"""
    async with runtime.sessions() as session:
        polls = await sending_polls(session)
    for poll in polls:
        async with runtime.sessions.begin() as session:
            await _judge(runtime, session, poll)


async def _judge(runtime: Runtime, session: AsyncSession, poll: SendingPoll) -> None:
    codes = await failures_by_code(session, poll)
    codes.pop(UNSUBSCRIBED, None)
    if not codes:
        return
    now = runtime.clock.now()
    for code in sorted(code for code in codes if code and carrier_error(code).tells_staff):
        await _act_on(session, poll.program_id, poll.id, code, now)
    failed, filtered = sum(codes.values()), codes.get(FILTERED, 0)
    enough = max(
        outcomes_to_count(failed, runtime.auto_pause_percent),
        outcomes_to_count(filtered, FILTERED_PERCENT),
    )
    outcomes = await count_outcomes(session, poll, enough=enough, opted_out=UNSUBSCRIBED)
    if fails_too_often(filtered, outcomes, FILTERED_PERCENT):
        await _tell(session, poll.program_id, poll.id, FILTERED, now)
    if fails_too_often(failed, outcomes, runtime.auto_pause_percent):
        most = max(codes, key=lambda code: codes[code])
        reason = f"{failed:,} of {outcomes:,} texts failed, most often: {described(most)}"
        await _pause(session, poll.id, reason, now)


async def _act_on(
    session: AsyncSession, program_id: int, poll_id: int | None, code: int, now: datetime
) -> None:
    if poll_id is not None and carrier_error(code).remedy is Remedy.STOP_POLL:
        state = await _pause(session, poll_id, described(code), now)
        if state in TAKING_ANSWERS:
            return  # it is paused, and staff know
    # Of a poll that is over, results texts and answers still go out: there is nothing to pause.
    await _tell(session, program_id, poll_id, code, now)


async def _tell(
    session: AsyncSession, program_id: int, poll_id: int | None, code: int, now: datetime
) -> None:
    about = f"poll:{poll_id}" if poll_id else f"program:{program_id}"
    await raise_alert(
        session,
        AlertKind.CARRIER_REFUSAL,
        f"{about}:code:{code}",
        f"The carrier refuses texts: {described(code)}",
        now=now,
        program_id=program_id,
        poll_id=poll_id,
        news_at=now - _AGAIN_AFTER,
    )


async def _pause(session: AsyncSession, poll_id: int, reason: str, now: datetime) -> PollState:
    """Pause a poll that sends; gives the state it is in then."""
    poll = await poll_by_id(session, poll_id)
    if poll.state is not PollState.OPEN:
        return poll.state
    poll.state, poll.pause_reason = PollState.PAUSED, reason
    poll.version += 1
    await raise_alert(
        session,
        AlertKind.AUTO_PAUSE,
        f"poll:{poll_id}:{poll.version}",
        f"Poll {poll.slug} is paused: {reason}. Then: pollwire poll resume {poll.slug}",
        now=now,
        program_id=poll.program_id,
        poll_id=poll_id,
    )
    return poll.state
