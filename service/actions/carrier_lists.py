"""Compare the subscribers with what the carrier keeps, every day.

Two lists: numbers that the carrier itself refuses to text (its opt-out list, where a refusal did
not reach us), and numbers that were given up, which soon belong to somebody else.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from service.actions.opt_out import opt_out_within
from service.domain.consent import ConsentEventKind
from service.domain.phone import lock_key
from service.errors import RejectedError
from service.runtime import Runtime
from service.sms.gateway import RefusedText, SmsGateway
from service.store.engine import lock_numbers
from service.store.listed import in_since_before, keys_of_members, suspend
from service.store.looks import advance_look, begin_look, count_found
from service.store.subscribers import consent_event, write_consent

REFUSALS = "refusals:"
DEACTIVATIONS = "deactivations"
MOST_DAYS = 7
_NO_REPORT = frozenset({404, 20404, 30113})
_CHUNK = 5_000
_OVERLAP = timedelta(hours=1)
_DAY = timedelta(days=1)


async def compare_refusals(runtime: Runtime, gateway: SmsGateway) -> int:
    """Opt out whom the carrier refuses to text and we still have; gives how many.

    A number that has said START or joined since its refusal stays in.

    Raises:
        RejectedError: one program's list could not be read; the others' were.
    """
    async with runtime.sessions() as session:
        programs = (await runtime.catalog.programs(session)).all
    found, trouble = 0, None
    for program in programs:
        try:
            found += await _compare_refusals_of(runtime, gateway, program.sender)
        except RejectedError as error:  # what is wrong with one sender is not the others'
            trouble = error
    if trouble is not None:
        raise trouble
    return found


async def _compare_refusals_of(runtime: Runtime, gateway: SmsGateway, sender: str) -> int:
    now, name = runtime.clock.now(), REFUSALS + sender
    async with runtime.sessions.begin() as session:
        until = await begin_look(session, name, now - _DAY)
    since = max(until - _OVERLAP, now - MOST_DAYS * _DAY)
    refused = await gateway.refused(sender=sender, since=since)
    opted_out = await _opt_out_refused(runtime, refused)
    async with runtime.sessions.begin() as session:
        await count_found(session, name, opted_out, now)
        await advance_look(session, name, now)
    return opted_out


async def _opt_out_refused(runtime: Runtime, refused: Sequence[RefusedText]) -> int:
    last: dict[str, datetime] = {}
    for one in refused:
        last[one.number] = max(one.refused_at, last.get(one.number, one.refused_at))
    found = 0
    for number, refused_at in last.items():
        key = runtime.key_of(number)
        async with runtime.sessions.begin() as session:
            await lock_numbers(session, [lock_key(key)])
            if await in_since_before(session, key, refused_at):
                await opt_out_within(
                    session,
                    {number: key},
                    runtime.clock.now(),
                    medium="carrier",
                    actor="carrier",
                    rule="compared with the carrier's list",
                )
                found += 1
    return found


async def suspend_deactivated(runtime: Runtime, gateway: SmsGateway) -> int:
    """Suspend whose number was given up, for each day not looked at yet; gives how many.

    A handset that has texted since the day ended is alive: its number only changed carrier.
    """
    today = runtime.clock.now().astimezone(UTC).date()
    first = today - MOST_DAYS * _DAY
    async with runtime.sessions.begin() as session:
        until = await begin_look(session, DEACTIVATIONS, _start_of(first))
    day, found = max(until.astimezone(UTC).date(), first), 0
    while day < today:
        try:
            numbers = await gateway.deactivated(day)
        except RejectedError as error:
            if error.code not in _NO_REPORT:
                raise
            if day == today - _DAY:
                return found  # not out yet, perhaps: asked again at the next round
            numbers = []
        found += await _suspend(runtime, numbers, day)
        day += _DAY
        async with runtime.sessions.begin() as session:
            await advance_look(session, DEACTIVATIONS, _start_of(day))
    return found


async def _suspend(runtime: Runtime, numbers: Sequence[str], day: date) -> int:
    found, ended = 0, _start_of(day + _DAY)
    rest = iter(numbers)
    while chunk := list(islice(rest, _CHUNK)):
        async with runtime.sessions() as session:
            ours = await keys_of_members(session, [runtime.key_of(number) for number in chunk])
        if not ours:
            continue
        now = runtime.clock.now()
        async with runtime.sessions.begin() as session:
            await lock_numbers(session, (lock_key(key) for key in ours))
            suspended = await suspend(session, ours, before=ended, now=now)
            await write_consent(
                session,
                [
                    consent_event(
                        number_key=row.number_key,
                        program_id=row.program_id,
                        kind=ConsentEventKind.SUSPENSION,
                        medium="carrier",
                        actor="carrier",
                        rule="deactivated",
                        now=now,
                    )
                    for row in suspended
                ],
            )
            await count_found(session, DEACTIVATIONS, len(suspended), now)
        found += len(suspended)
    return found


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
