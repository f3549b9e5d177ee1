"""The weekly slot: which day and local time, and the instants that this comes to."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.domain.holidays import holiday_on
from service.domain.quiet_hours import QuietHours
from service.errors import InvalidInputError, RefusedError

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SATURDAY = 5
_MINUTE = timedelta(minutes=1)
HOURS_OF_A_WEEK = 24 * 7
SKIPPED_BY_STAFF = "skipped by staff"


class OccurrenceState(StrEnum):
    """What became of one week's slot."""

    PLANNED = "planned"
    FILLED = "filled"
    EMPTY = "empty"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One week's slot.

    Attributes:
        day: in the slot's zone.
        at: local time; in the night that skips it, the poll opens just after the gap.
        opens_at: the instant, in UTC.
        skipped: why there is none that week; empty for none but a usual week.
    """

    day: date
    at: time
    timezone: str
    opens_at: datetime
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class WeeklySlot:
    """A day of the week and a local time.

    Attributes:
        weekday: 0 for Monday.

    >>> str(parse_slot("tue 9:30 America/Denver"))
    'Tuesdays 09:30 America/Denver'
    """

    weekday: int
    at: time
    timezone: str

    def __str__(self) -> str:
        return f"{self.day_name}s {self.at:%H:%M} {self.timezone}"

    @property
    def day_name(self) -> str:
        """Such as ``Tuesday``."""
        return _DAYS[self.weekday]

    def opens_on(self, day: date) -> datetime:
        """The instant of the slot on ``day``, in UTC.

        In the night that skips the time it is the first moment after the gap, in the night that
        has it twice the first of the two.
        """
        info = ZoneInfo(self.timezone)
        local = datetime.combine(day, self.at, info)
        found = local.astimezone(UTC)
        if found.astimezone(info).time() == self.at:
            return found
        # In a gap the offset before it leads behind it, and the one after it to its front.
        before, after = local.replace(fold=1).astimezone(UTC), found
        while after - before > _MINUTE:
            middle = before + (after - before) // 2
            middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
            if middle.astimezone(info).utcoffset() == after.astimezone(info).utcoffset():
                after = middle
            else:
                before = max(middle, before + _MINUTE)
        return after

    def occurrences(self, after: datetime, skipped: Container[date] = ()) -> Iterator[Occurrence]:
        """The weeks to come, those without a poll among them, without end.

        Args:
            skipped: days on which staff want none.
        """
        day = after.astimezone(ZoneInfo(self.timezone)).date()
        day += timedelta(days=(self.weekday - day.weekday()) % 7)
        while True:
            opens_at = self.opens_on(day)
            if opens_at > after:
                why = SKIPPED_BY_STAFF if day in skipped else holiday_on(day) or ""
                yield Occurrence(day, self.at, self.timezone, opens_at, why)
            day += timedelta(days=7)

    def check(self, hours: QuietHours) -> None:
        """Refuse a slot at which nobody may be texted.

        Raises:
            RefusedError: it lies outside ``hours``, in its own zone.
        """
        if not hours.enforced:
            return
        if self.weekday >= _SATURDAY:
            raise RefusedError(f"slot {self}: nobody is texted on a {self.day_name}")
        if not hours.opens <= self.at < hours.closes:
            raise RefusedError(f"slot {self}: outside the program's hours, {hours}")


def parse_slot(typed: str, timezone: str | None = None) -> WeeklySlot:
    """A slot such as ``Tuesdays 10:00 America/Denver``.

    Args:
        timezone: taken where none is named.

    Raises:
        InvalidInputError: saying which part cannot be read.
    """
    parts = typed.split()
    if len(parts) == 2 and timezone is not None:
        parts.append(timezone)
    if len(parts) != 3:
        raise InvalidInputError(
            f"slot {typed!r}: a day, a time and a zone, such as 'Tuesdays 10:00 America/Denver'"
        )
    day, at, zone = parts
    return WeeklySlot(_weekday(day), _time(at), _zone(zone))


def _weekday(typed: str) -> int:
    name = typed.casefold().removesuffix("s")
    for index, known in enumerate(_DAYS):
        # "Tues" and "Thurs" have lost their s.
        if len(name) >= 3 and known.casefold().startswith(name):
            return index
    raise InvalidInputError(f"slot: {typed!r} is no day of the week, such as Tuesdays")


def _time(typed: str) -> time:
    hours, colon, minutes = typed.partition(":")
    try:
        if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
            raise ValueError("hours and minutes are wanted")
        return time(int(hours), int(minutes))
    except ValueError:
        raise InvalidInputError(f"slot: {typed!r} is no time of the day, such as 10:00") from None


def _zone(typed: str) -> str:
    try:
        ZoneInfo(typed)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(f"slot: there is no time zone {typed!r}") from None
    return typed


@dataclass(frozen=True, slots=True)
class SlotHours:
    """How long a slot's poll stays open, and how long before it opens it is scheduled."""

    open_hours: int = 72
    lead_hours: int = 24

    def check(self) -> None:
        """Refuse what would run into the next week.

        Raises:
            InvalidInputError: naming the option.
        """
        for option, hours in (("open", self.open_hours), ("lead", self.lead_hours)):
            if not 1 <= hours < HOURS_OF_A_WEEK:
                raise InvalidInputError(
                    f"--{option}-hours must be from 1 to {HOURS_OF_A_WEEK - 1}, not {hours}"
                )


WARN_HOURS = 48
"""Staff hear of a slot without a draft this long before it, and once more at lead time."""


def warning_due(opens_at: datetime, now: datetime, lead_hours: int) -> int | None:
    """Of the two warnings of an empty slot the later one that is due, in hours before it."""
    due = [hours for hours in (WARN_HOURS, lead_hours) if now >= opens_at - timedelta(hours=hours)]
    return min(due, default=None)
