"""How long a text that may be an opt-out waits for a person before it counts as one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

BUSINESS_DAYS = 3
_SATURDAY = 5


def lapses_at(held_at: datetime, zone: str) -> datetime:
    """Three business days later at the same local time, Monday to Friday in ``zone``.

    >>> lapses_at(datetime(2026, 3, 6, 17, tzinfo=UTC), "America/Denver")  # a Friday
    datetime.datetime(2026, 3, 11, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return _business_days_after(held_at, zone, BUSINESS_DAYS)


def warns_at(held_at: datetime, zone: str) -> datetime:
    """One business day before it lapses: now staff are told.

    >>> warns_at(datetime(2026, 3, 6, 17, tzinfo=UTC), "America/Denver")
    datetime.datetime(2026, 3, 10, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return _business_days_after(held_at, zone, BUSINESS_DAYS - 1)


def _business_days_after(held_at: datetime, zone: str, most: int) -> datetime:
    local = held_at.astimezone(ZoneInfo(zone))
    days = 0
    while days < most:
        local += timedelta(days=1)
        days += local.weekday() < _SATURDAY
    return local.astimezone(UTC)
