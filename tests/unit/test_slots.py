"""The weekly slot: what parses, and when it comes round."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.holidays import holiday_on
from service.domain.quiet_hours import QuietHours, parse_quiet_hours
from service.domain.slots import (
    SKIPPED_BY_STAFF,
    SlotHours,
    WeeklySlot,
    parse_slot,
    warning_due,
)
from service.errors import InvalidInputError, RefusedError

DENVER = "America/Denver"
SUNDAY = 6
ZONES = (
    "America/New_York",
    "America/Chicago",
    DENVER,
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Pacific/Guam",
    "America/Indiana/Indianapolis",
)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "typed",
    [
        "Tuesdays 10:00 America/Denver",
        "tuesday 10:00 America/Denver",
        "Tue 10:00 America/Denver",
        "TUES  10:00\tAmerica/Denver",
        "Tuesdays 10:00",
    ],
)
def test_a_slot_is_a_day_a_time_and_a_zone(typed: str) -> None:
    assert parse_slot(typed, DENVER) == WeeklySlot(1, time(10), DENVER)
    assert str(parse_slot(typed, DENVER)) == "Tuesdays 10:00 America/Denver"


@pytest.mark.parametrize(
    ("typed", "day"),
    [("Mondays", 0), ("wed", 2), ("Thurs", 3), ("Thu", 3), ("fri", 4), ("Sat", 5), ("sundays", 6)],
)
def test_every_day_has_its_names(typed: str, day: int) -> None:
    assert parse_slot(f"{typed} 9:05 UTC") == WeeklySlot(day, time(9, 5), "UTC")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "a day, a time and a zone"),
        ("Tuesdays", "a day, a time and a zone"),
        ("Tuesdays 10:00", "a day, a time and a zone"),
        ("Tuesdays at 10:00 America/Denver", "a day, a time and a zone"),
        ("Someday 10:00 UTC", "'Someday' is no day of the week"),
        ("T 10:00 UTC", "'T' is no day of the week"),
        ("s 10:00 UTC", "'s' is no day of the week"),
        ("Tuesdays 10 UTC", "'10' is no time"),
        ("Tuesdays 25:00 UTC", "'25:00' is no time"),
        ("Tuesdays 10:5 UTC", "'10:5' is no time"),
        ("Tuesdays 10:00+01 UTC", "no time"),
        ("Tuesdays -1:30 UTC", "no time"),
        ("Tuesdays 10:00 Denver", "there is no time zone 'Denver'"),
        ("Tuesdays 10:00 ../etc", "there is no time zone"),
    ],
)
def test_what_cannot_be_read_is_named(typed: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match="slot") as caught:
        parse_slot(typed)
    assert said in str(caught.value)


@given(
    typed=st.text(max_size=30)
    | st.builds("{} {} {}".format, st.text(max_size=9), st.text(max_size=6), st.text(max_size=20))
)
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    try:
        slot = parse_slot(typed)
    except InvalidInputError:
        return
    assert parse_slot(str(slot)) == slot


@given(
    start=st.datetimes(
        datetime(2020, 1, 1),  # noqa: DTZ001
        datetime(2037, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    weekday=st.integers(0, 6),
    zone=st.sampled_from(ZONES),
)
def test_ten_oclock_stays_ten_oclock_in_every_zone(
    start: datetime, weekday: int, zone: str
) -> None:
    slot, info = WeeklySlot(weekday, time(10), zone), ZoneInfo(zone)
    before = None
    for one in islice(slot.occurrences(start), 60):
        local = one.opens_at.astimezone(info)
        assert (local.time(), local.date(), local.weekday()) == (time(10), one.day, weekday)
        assert one.opens_at.tzinfo is UTC
        assert bool(one.skipped) == bool(holiday_on(one.day))
        if before is None:
            assert start < one.opens_at <= start + timedelta(days=7, hours=1)
        else:
            assert one.day == before.day + timedelta(days=7)
        before = one


@given(
    day=st.dates(date(2020, 1, 1), date(2037, 1, 1)),
    at=st.times().map(lambda value: value.replace(second=0, microsecond=0, fold=0, tzinfo=None)),
    zone=st.sampled_from((*ZONES, "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca")),
)
def test_every_day_has_one_instant_at_or_just_after_its_time(
    day: date, at: time, zone: str
) -> None:
    found = WeeklySlot(day.weekday(), at, zone).opens_on(day)
    local = found.astimezone(ZoneInfo(zone))
    if local.time() == at:
        assert local.date() == day
        return
    earlier = (found - timedelta(minutes=1)).astimezone(ZoneInfo(zone))
    assert earlier.replace(tzinfo=None) < datetime.combine(day, at) < local.replace(tzinfo=None)
    assert earlier.utcoffset() != local.utcoffset()


def test_a_time_that_the_night_skips_is_the_first_moment_after() -> None:
    found = WeeklySlot(SUNDAY, time(2, 30), DENVER).opens_on(date(2026, 3, 8))
    assert found == datetime(2026, 3, 8, 9, tzinfo=UTC)
    assert found.astimezone(ZoneInfo(DENVER)).time() == time(3)


def test_a_time_that_the_night_has_twice_is_the_first() -> None:
    slot = WeeklySlot(SUNDAY, time(1, 30), DENVER)
    assert slot.opens_on(date(2026, 11, 1)) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    (after,) = islice(slot.occurrences(datetime(2026, 11, 1, 7, 30, tzinfo=UTC)), 1)
    assert after.opens_at == datetime(2026, 11, 8, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_both_changes_leave_the_local_time_alone(zone: str) -> None:
    slot = WeeklySlot(1, time(10), zone)
    for first in (date(2026, 3, 3), date(2026, 10, 27)):
        start = datetime.combine(first, time(), UTC)
        local = [
            one.opens_at.astimezone(ZoneInfo(zone)) for one in islice(slot.occurrences(start), 3)
        ]
        assert [moment.time() for moment in local] == [time(10)] * 3


def test_holidays_and_days_that_staff_skip_have_no_poll() -> None:
    slot = WeeklySlot(0, time(10), DENVER)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    year = list(islice(slot.occurrences(start, {date(2026, 12, 28)}), 52))
    assert {one.day: one.skipped for one in year if one.skipped} == {
        date(2026, 1, 19): "Martin Luther King Jr. Day",
        date(2026, 2, 16): "Washington's Birthday",
        date(2026, 5, 25): "Memorial Day",
        date(2026, 9, 7): "Labor Day",
        date(2026, 10, 12): "Columbus Day",
        date(2026, 12, 28): SKIPPED_BY_STAFF,
    }


@pytest.mark.parametrize(
    ("typed", "hours", "said"),
    [
        ("Tuesdays 09:59 UTC", "10:00-18:00", "outside the program's hours, 10:00-18:00"),
        ("Tuesdays 18:00 UTC", "10:00-18:00", "outside the program's hours"),
        ("Saturdays 12:00 UTC", "10:00-18:00", "nobody is texted on a Saturday"),
        ("Sundays 12:00 UTC", "09:00-20:00", "nobody is texted on a Sunday"),
    ],
)
def test_a_slot_in_quiet_hours_is_refused(typed: str, hours: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        parse_slot(typed).check(parse_quiet_hours(hours))
    parse_slot(typed).check(QuietHours(enforced=False))


@pytest.mark.parametrize("typed", ["Tuesdays 10:00 UTC", "Fridays 17:59 UTC"])
def test_a_slot_in_the_programs_hours_is_fine(typed: str) -> None:
    parse_slot(typed).check(QuietHours())


@pytest.mark.parametrize("hours", [SlotHours(0, 24), SlotHours(168, 24), SlotHours(72, 168)])
def test_a_slot_that_runs_into_the_next_week_is_refused(hours: SlotHours) -> None:
    with pytest.raises(InvalidInputError, match="-hours must be from 1 to 167"):
        hours.check()


@pytest.mark.parametrize(
    ("hours_before", "lead", "due"),
    [
        *((49, 24, None), (48, 24, 48), (25, 24, 48), (24, 24, 24), (1, 24, 24)),
        *((73, 72, None), (72, 72, 72), (48, 72, 48), (1, 48, 48)),
    ],
)
def test_staff_are_warned_two_days_before_and_at_lead_time(
    hours_before: int, lead: int, due: int | None
) -> None:
    opens_at = datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert warning_due(opens_at, opens_at - hours_before * HOUR, lead) == due
