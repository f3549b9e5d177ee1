"""When a poll may be planned for, and when staff are asked before it opens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.spoken_times import spoken_time
from service.errors import RefusedError

_GROWTH_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """The times a poll is to have.

    Attributes:
        reminder_after_hours: counted from the opening; ``None`` for no reminder.
        results_text_at: when who answered is sent the result; ``None`` for never.
    """

    slug: str
    opens_at: datetime
    closes_at: datetime
    reminder_after_hours: int | None = None
    results_text_at: datetime | None = None

    def check(self, now: datetime) -> None:
        """Refuse times that make no sense.

        Raises:
            RefusedError: saying which.
        """
        name = f"poll {self.slug!r}"
        if self.closes_at <= self.opens_at:
            raise RefusedError(f"{name} would close before it opens")
        if self.opens_at < now - timedelta(minutes=1):
            raise RefusedError(
                f"{name} would open in the past ({self.opens_at:%Y-%m-%d %H:%M} UTC)"
            )
        hours = self.reminder_after_hours
        if hours is not None and self.opens_at + timedelta(hours=hours) >= self.closes_at:
            raise RefusedError(
                f"{name}: its reminder, {hours} hours after it opens, would come too late"
            )
        if self.results_text_at is not None and self.results_text_at < self.closes_at:
            raise RefusedError(
                f"{name}: its results text (results_at) would go out before it closes"
            )


def is_late(plan: Plan, limit_minutes: int, now: datetime) -> bool:
    """Whether a poll is too late to open by itself."""
    return now > plan.opens_at + timedelta(minutes=limit_minutes) or now >= plan.closes_at


def has_grown(confirmed_people: int | None, people: int) -> bool:
    """Whether an audience is so much larger than confirmed that staff must say yes again.

    >>> has_grown(100, 110), has_grown(100, 111)
    (False, True)
    """
    if confirmed_people is None:
        return False
    return people * 100 > confirmed_people * (100 + _GROWTH_PERCENT)


def late_sentence(plan: Plan, timezone: str) -> str:
    """What staff are told of a poll that missed its opening."""
    due = spoken_time(plan.opens_at, timezone)
    return f"Poll {plan.slug} was due {due} and did not open. {_what_to_do(plan.slug)}"


def grown_sentence(slug: str, confirmed_people: int | None, people: int) -> str:
    """What staff are told of a poll whose audience has grown."""
    return (
        f"Poll {slug} did not open: confirmed for {confirmed_people} people, it is for {people} "
        f"now. {_what_to_do(slug)}"
    )


def _what_to_do(slug: str) -> str:
    return f"Open it: pollwire poll open {slug}. Move it: pollwire poll schedule {slug}"
