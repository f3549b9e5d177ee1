"""When recurring work comes round: at a fixed pace, or at a local time whatever the clocks do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Recurrence(Protocol):
    """A rule that names the next instant."""

    def next_after(self, instant: datetime) -> datetime:
        """The first instant after ``instant``, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Every:
    """At a fixed pace, counted from the last time due."""

    span: timedelta

    def next_after(self, instant: datetime) -> datetime:
        """See :class:`Recurrence`."""
        return instant + self.span


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day at a local time.

    In the night that skips the time it is the first instant after the gap; in the night that
    has it twice it is the first of the two. So every day has exactly one.

    >>> Daily(time(10), "America/Denver").next_after(datetime(2026, 3, 7, 18, tzinfo=UTC))
    datetime.datetime(2026, 3, 8, 16, 0, tzinfo=datetime.timezone.utc)
    """

    at: time
    zone: str

    def next_after(self, instant: datetime) -> datetime:
        """See :class:`Recurrence`."""
        day = instant.astimezone(ZoneInfo(self.zone)).date()
        while (found := self._on(day)) <= instant:
            day += timedelta(days=1)
        return found

    def _on(self, day: date) -> datetime:
        # fold=0: the first of two; in a gap the offset before it, which lands just after it.
        return datetime.combine(day, self.at, ZoneInfo(self.zone)).astimezone(UTC)
