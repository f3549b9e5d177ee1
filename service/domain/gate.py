"""The last look before a poll's text leaves: may this person be texted now?"""

from dataclasses import dataclass
from datetime import datetime

from service.domain.consent import SubscriberState
from service.domain.deliveries import DeliveryState
from service.domain.polls import PollState
from service.domain.programs import Program
from service.domain.quiet_hours import candidate_zones
from service.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hand the text over, defer it, or drop it.

    Attributes:
        state: ``handed``, ``deferred``, ``ready`` (look again soon) or ``cancelled``.
        not_before: when to look again.
        expires_at: a text not delivered by then must not arrive any more; ``None`` for never.
    """

    state: DeliveryState
    reason: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a text's person and poll stand at this moment, under the number's lock."""

    number: str
    state: SubscriberState | None
    hold: bool
    review: bool
    timezone: str | None
    poll: PollState | None
    poll_closes_at: datetime | None = None


def may_be_sent(standing: Standing, program: Program, now: datetime) -> Verdict:
    """The verdict on one text that nobody asked for just now (a poll's question)."""
    if standing.state is not SubscriberState.ACTIVE:
        reason = "opted out" if standing.state is SubscriberState.OPTED_OUT else "not active"
        return Verdict(DeliveryState.CANCELLED, reason)
    if standing.hold:
        return Verdict(DeliveryState.CANCELLED, "on hold")
    if standing.review:
        return Verdict(DeliveryState.CANCELLED, "in review")
    if standing.poll is PollState.PAUSED:
        return Verdict(DeliveryState.READY, "paused", now)
    if standing.poll is not None and standing.poll is not PollState.OPEN:
        return Verdict(DeliveryState.CANCELLED, f"poll {standing.poll.value}")
    zones = candidate_zones(standing.number, given=standing.timezone, fallback=program.timezone)
    try:
        allowed = program.quiet_hours.allowed_at(zones, now)
    except InvalidInputError:  # such as a toll-free number; it must not hold up the others
        return Verdict(DeliveryState.CANCELLED, "no hour is allowed in all its zones")
    if allowed > now:
        return Verdict(DeliveryState.DEFERRED, "quiet hours", allowed)
    ends = (program.quiet_hours.closes_at(zones, now), standing.poll_closes_at)
    expires_at = min((end for end in ends if end is not None), default=None)
    return Verdict(DeliveryState.HANDED, expires_at=expires_at)
