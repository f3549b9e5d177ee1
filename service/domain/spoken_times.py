"""Instants as people say them, such as ``Thu 5pm ET``."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_WEEKDAY_IS_CLEAR = timedelta(days=6)


def spoken_time(instant: datetime, timezone: str, *, said_at: datetime | None = None) -> str:
    """Weekday, time and zone; with the date where the weekday alone would not do.

    Args:
        said_at: when this is read; left out, the date is named.

    >>> from datetime import UTC
    >>> spoken_time(datetime(2026, 3, 5, 22, tzinfo=UTC), "America/New_York")
    'Thu Mar 5 5pm ET'
    """
    local = instant.astimezone(ZoneInfo(timezone))
    near = said_at is not None and timedelta() <= instant - said_at < _WEEKDAY_IS_CLEAR
    day = f"{local:%a}" if near else f"{local:%a} {local:%b} {local.day}"
    minutes = f":{local:%M}" if local.minute else ""
    hour = f"{local.hour % 12 or 12}{minutes}{'am' if local.hour < 12 else 'pm'}"
    return f"{day} {hour} {spoken_zone(instant, timezone)}"


def spoken_zone(instant: datetime, timezone: str) -> str:
    """The zone's short name: of American zones the one that holds all year.

    >>> from datetime import UTC
    >>> spoken_zone(datetime(2026, 7, 1, tzinfo=UTC), "America/Denver")
    'MT'
    >>> spoken_zone(datetime(2026, 7, 1, tzinfo=UTC), "America/Phoenix")
    'MST'
    """
    info = ZoneInfo(timezone)
    name = instant.astimezone(info).tzname() or timezone
    if name[0] in "+-":
        return f"UTC{name}"
    both = {datetime(instant.year, month, 1, tzinfo=info).tzname() for month in (1, 7)}
    if both == {f"{name[:-2]}ST", f"{name[:-2]}DT"}:
        return f"{name[:-2]}T"
    return name
