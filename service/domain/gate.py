"""The last look before a text leaves: may this person be texted now?"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from service.domain.consent import SubscriberState
from service.domain.deliveries import UNASKED, DeliveryState, Purpose
from service.domain.frequency import Sent
from service.domain.polls import NOT_SENT_AFTER, PollState
from service.domain.programs import Program
from service.domain.quiet_hours import QuietHours, candidate_zones, describe_local
from service.errors import InvalidInputError

TOO_LATE = "its hours come after the close"
MONTHLY_NUMBER_REACHED = "monthly number reached"
LEAST_LIFE = timedelta(seconds=15)
"""What a text needs to reach the phone: with less of the window left it waits for the next."""

_TO_WHO_OPTED_OUT = frozenset({Purpose.STOPPED, Purpose.HELP})
_RESULTS_OF = frozenset({PollState.CLOSED, PollState.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hand the text over, defer it, or drop it.

    Attributes:
        state: ``handed``, ``deferred``, ``ready`` (look again soon) or ``cancelled``.
        not_before: when to look again.
        expires_at: a text not delivered by then must not arrive any more; ``None`` for never.
        checks: what was looked at and found, for people to read.
    """

    state: DeliveryState
    reason: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None
    checks: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a text's person and poll stand at this moment, under the number's lock.

    Attributes:
        hold: whether any program holds the number back; so for ``review``.
        stopped: the number said stop, in whichever program, and has not joined here since.
        sent: what was sent to the number before.
        answered: whether what a reminder asks has been answered by now.
        asked_since: whether another poll's question went since a reminder was written: a reply
            would belong to that one.
    """

    number: str
    state: SubscriberState | None
    hold: bool
    review: bool
    timezone: str | None
    poll: PollState | None
    poll_closes_at: datetime | None = None
    purpose: Purpose = Purpose.ASK
    stopped: bool = False
    sent: Sent = field(default_factory=Sent)
    answered: bool = False
    asked_since: bool = False


_PASSED = Verdict(DeliveryState.HANDED)


def may_be_sent(standing: Standing, program: Program, now: datetime) -> Verdict:
    """The verdict on one text.

    Texts that nobody asked for just now must pass every check. Answers and alerts to the staff
    count in no limit and leave at any hour, but not to a number that opted out.
    """
    if standing.purpose not in UNASKED:
        barred = _has_opted_out(standing) and standing.purpose not in _TO_WHO_OPTED_OUT
        return _cancelled("opted out") if barred else _PASSED
    person, poll = _look_at_person(standing), _look_at_poll(standing, now)
    time, local = _look_at_time(standing, program, now)
    # The month comes last: who is put off today may have room again by then.
    verdicts = (person, poll, time, _look_at_month(standing, program))
    verdict = next((one for one in verdicts if one.state is not DeliveryState.HANDED), time)
    notes = (
        person.reason or "active",
        f"poll {standing.poll.value}" if standing.poll else "no poll",
        standing.sent.note(program.monthly_texts, now),
        f"hours {program.quiet_hours}: {local}",
    )
    return replace(verdict, checks="; ".join(notes))


def _cancelled(reason: str) -> Verdict:
    return Verdict(DeliveryState.CANCELLED, reason)


def _has_opted_out(standing: Standing) -> bool:
    return standing.state is SubscriberState.OPTED_OUT or standing.stopped


def _look_at_person(standing: Standing) -> Verdict:
    if _has_opted_out(standing):
        return _cancelled("opted out")
    if standing.state is SubscriberState.SUSPENDED:
        return _cancelled("suspended")
    if standing.state is not SubscriberState.ACTIVE:
        return _cancelled("not active")
    if standing.hold:
        return _cancelled("on hold")
    return _cancelled("in review") if standing.review else _PASSED


def _look_at_poll(standing: Standing, now: datetime) -> Verdict:
    poll = standing.poll
    if poll is None:
        return _PASSED
    if standing.answered:
        return _cancelled("answered")
    if standing.asked_since:
        return _cancelled("asked something else since")
    if standing.purpose is Purpose.RESULTS:
        return _PASSED if poll in _RESULTS_OF else _cancelled(f"poll {poll.value}")
    if poll is PollState.PAUSED:
        return Verdict(DeliveryState.READY, "paused", now)
    if poll is PollState.OPEN:
        return _PASSED
    return _cancelled(NOT_SENT_AFTER.get(poll, f"poll {poll.value}"))


def _look_at_month(standing: Standing, program: Program) -> Verdict:
    reached = standing.sent.month >= program.monthly_texts
    return _cancelled(MONTHLY_NUMBER_REACHED) if reached else _PASSED


def _look_at_time(standing: Standing, program: Program, now: datetime) -> tuple[Verdict, str]:
    """Hours, limits and the close of the poll; and the local times looked at."""
    zones = candidate_zones(standing.number, given=standing.timezone, fallback=program.timezone)
    hours = program.quiet_hours
    free_at, limit = standing.sent.limit(now)
    try:
        allowed = _allowed_from(hours, zones, free_at)
    except InvalidInputError:  # such as a toll-free number; it must not hold up the others
        local = f"{len(zones)} zones"
        return _cancelled("no hour is allowed in all its zones"), local
    local = describe_local(zones, now)
    # Results come after the close, which so says nothing of them.
    closes_at = None if standing.purpose is Purpose.RESULTS else standing.poll_closes_at
    if closes_at is not None and allowed >= closes_at:
        return _cancelled(TOO_LATE), local
    if allowed > now:
        return Verdict(DeliveryState.DEFERRED, limit or "quiet hours", allowed), local
    ends = (hours.closes_at(zones, now), closes_at)
    expires_at = min((end for end in ends if end is not None), default=None)
    return Verdict(DeliveryState.HANDED, expires_at=expires_at), local


def _allowed_from(hours: QuietHours, zones: tuple[str, ...], instant: datetime) -> datetime:
    """The first allowed instant from ``instant`` on that leaves a text time to arrive.

    Raises:
        InvalidInputError: the zones share no hour.
    """
    allowed = hours.allowed_at(zones, instant)
    ends = hours.closes_at(zones, allowed)
    if ends is not None and ends - allowed < LEAST_LIFE:
        allowed = hours.allowed_at(zones, ends)
    return allowed


CONFIRM_STOP_WITHIN = timedelta(minutes=5)
"""A confirmation of an opt-out later than this is presumed unwanted. Source: 47 CFR
64.1200(a)(12)."""
ANSWER_WITHIN = timedelta(hours=1)


def answer_until(purpose: Purpose, received_at: datetime) -> datetime:
    """Until when a member's own text may still be answered."""
    is_stop = purpose is Purpose.STOPPED
    return received_at + (CONFIRM_STOP_WITHIN if is_stop else ANSWER_WITHIN)


def may_be_answered(
    purpose: Purpose, received_at: datetime, now: datetime, *, stopped_since: bool
) -> Verdict:
    """The verdict on an answer to a member's own text, which goes out at any hour, but not late.

    Args:
        received_at: when the text it answers was received.
        stopped_since: the number has opted out after that text.
    """
    if stopped_since and purpose not in _TO_WHO_OPTED_OUT:
        return Verdict(DeliveryState.CANCELLED, "opted out")
    until = answer_until(purpose, received_at)
    if now > until:
        return Verdict(DeliveryState.CANCELLED, "too late to answer")
    return Verdict(DeliveryState.HANDED, expires_at=until)
