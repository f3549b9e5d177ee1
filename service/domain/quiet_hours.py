"""When a poll may reach a phone: decent hours in every zone its number may lie in."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from phonenumbers import NumberParseException
from phonenumbers import parse as parse_phone
from phonenumbers import timezone as phone_timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from service.domain.holidays import holiday_on
from service.errors import InvalidInputError

EARLIEST, LATEST = time(9), time(20)
"""Hard limits. Source: docs/rules.md, the strictest state law among those known."""
_SATURDAY = 5
_OVERLAYS = {
    "1364": "1270",
    "1448": "1850",
    "1458": "1541",
    "1930": "1812",
    **dict.fromkeys(("1236", "1257", "1672", "1778"), "1250"),
    **dict.fromkeys(("1367", "1581"), "1418"),
}
"""Area codes laid over older ones, whose zones the library knows only in part.

Source: the numbering plan's overlays of area codes split over two zones.
"""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The window texts may go out in, local time, Monday to Friday, no federal holidays.

    Attributes:
        enforced: false only for rehearsals and demonstrations.
    """

    opens: time = time(10)
    closes: time = time(18)
    enforced: bool = True

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}" if self.enforced else "none"

    def allowed_at(self, zones: Iterable[str], now: datetime) -> datetime:
        """``now`` if every zone allows it, else the next instant at which all do.

        Raises:
            InvalidInputError: the zones share no hour of the window.
        """
        if not self.enforced:
            return now
        infos = [ZoneInfo(zone) for zone in zones]
        instant = now
        for _ in range(64):
            later = max(self._open_in(info, instant) for info in infos)
            if later == instant:
                return instant
            instant = later
        raise InvalidInputError("the zones of this number share no allowed hour")

    def closes_at(self, zones: Iterable[str], now: datetime) -> datetime | None:
        """When the first of the zones closes today; ``None`` where no hours are kept."""
        if not self.enforced:
            return None
        closings = []
        for zone in zones:
            info = ZoneInfo(zone)
            closings.append(datetime.combine(now.astimezone(info).date(), self.closes, info))
        return min(closings).astimezone(UTC)

    def _open_in(self, info: ZoneInfo, instant: datetime) -> datetime:
        local = instant.astimezone(info)
        day = local.date()
        if _is_working_day(day):
            if self.opens <= local.time() < self.closes:
                return instant
            if local.time() >= self.closes:
                day += timedelta(days=1)
        while not _is_working_day(day):
            day += timedelta(days=1)
        return datetime.combine(day, self.opens, info).astimezone(UTC)


def _is_working_day(day: date) -> bool:
    return day.weekday() < _SATURDAY and holiday_on(day) is None


def describe_local(zones: Iterable[str], now: datetime) -> str:
    """The time in each zone, such as ``Thu 12:00 America/Denver (Thanksgiving Day)``.

    >>> describe_local(["America/Denver"], datetime(2026, 3, 3, 18, tzinfo=UTC))
    'Tue 11:00 America/Denver'
    """
    said = []
    for zone in zones:
        local = now.astimezone(ZoneInfo(zone))
        holiday = holiday_on(local.date())
        said.append(f"{local:%a %H:%M} {zone}" + (f" ({holiday})" if holiday else ""))
    return ", ".join(said)


def parse_quiet_hours(typed: str) -> QuietHours:
    """``10:00-18:00`` or ``none``.

    Raises:
        InvalidInputError: not such a window, or outside 9:00-20:00.

    >>> str(parse_quiet_hours("10:00-18:00"))
    '10:00-18:00'
    """
    if typed.strip() == "none":
        return QuietHours(enforced=False)
    try:
        opens, closes = (time.fromisoformat(part.strip()) for part in typed.split("-"))
        if opens.tzinfo or closes.tzinfo:
            raise ValueError("local times have no offset")
    except ValueError:
        raise InvalidInputError(f"quiet hours {typed!r}: such as 10:00-18:00, or none") from None
    if not EARLIEST <= opens < closes <= LATEST:
        raise InvalidInputError(f"quiet hours {typed!r}: must lie within 09:00-20:00")
    return QuietHours(opens, closes)


@cache
def _zones_by_area_code() -> dict[str, tuple[str, ...]]:
    """Zones of each North American area code: the union over its exchanges.

    A ported or mobile number may be anywhere in its area, so the exchange proves nothing.
    """
    areas: dict[str, set[str]] = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= len("1208"):
            areas[prefix[:4]].update(zones)
    for overlay, area in _OVERLAYS.items():
        areas[overlay].update(areas[area])
    return {area: tuple(sorted(zones)) for area, zones in areas.items()}


@lru_cache(maxsize=4096)
def _zones_of(number: str) -> tuple[str, ...]:
    area = _zones_by_area_code().get(number[1:5]) if number.startswith("+1") else None
    if area:
        return area
    try:
        found = phone_timezone.time_zones_for_number(parse_phone(number))
    except NumberParseException:  # a short code or a name: it tells nothing
        return ()
    return tuple(zone for zone in found if zone != phone_timezone.UNKNOWN_TIMEZONE)


def candidate_zones(number: str, *, given: str | None, fallback: str) -> tuple[str, ...]:
    """All zones a phone may be in.

    Args:
        number: E.164.
        given: the zone the member named, which settles it.
        fallback: the program's zone, where the number tells nothing.

    >>> candidate_zones("+18505550123", given=None, fallback="America/Denver")
    ('America/Chicago', 'America/New_York')
    """
    return (given,) if given else _zones_of(number) or (fallback,)
