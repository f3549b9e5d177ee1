"""The federal holidays of the United States, on which nobody is texted unasked.

Source: 5 U.S.C. 6103, with the days on which offices observe them.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_FIRST_JUNETEENTH = 2021


def holiday_on(day: date) -> str | None:
    """The holiday kept on this day, itself or as the day it is observed; else ``None``.

    One on a Saturday is observed the Friday before, one on a Sunday the Monday after.

    >>> holiday_on(date(2026, 11, 26)), holiday_on(date(2026, 7, 3)), holiday_on(date(2026, 7, 6))
    ('Thanksgiving Day', 'Independence Day', None)
    """
    return _kept_in(day.year).get(day)


@cache
def _kept_in(year: int) -> Mapping[date, str]:
    kept: dict[date, str] = {}
    for asked in (year, year + 1):  # the next New Year's Day may be observed in this year
        for day, name in _holidays_of(asked):
            kept[day] = kept[_observed(day)] = name
    return kept


def _observed(day: date) -> date:
    shift = {_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0)
    return day + timedelta(days=shift)


def _holidays_of(year: int) -> Iterator[tuple[date, str]]:
    yield date(year, 1, 1), "New Year's Day"
    yield _nth(3, _MONDAY, date(year, 1, 1)), "Martin Luther King Jr. Day"
    yield _nth(3, _MONDAY, date(year, 2, 1)), "Washington's Birthday"
    yield _nth(1, _MONDAY, date(year, 5, 25)), "Memorial Day"  # the last Monday of May
    if year >= _FIRST_JUNETEENTH:
        yield date(year, 6, 19), "Juneteenth"
    yield date(year, 7, 4), "Independence Day"
    yield _nth(1, _MONDAY, date(year, 9, 1)), "Labor Day"
    yield _nth(2, _MONDAY, date(year, 10, 1)), "Columbus Day"
    yield date(year, 11, 11), "Veterans Day"
    yield _nth(4, _THURSDAY, date(year, 11, 1)), "Thanksgiving Day"
    yield date(year, 12, 25), "Christmas Day"


def _nth(count: int, weekday: int, first: date) -> date:
    """The ``count``-th such weekday from ``first`` on."""
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))
