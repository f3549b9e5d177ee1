"""Decent hours, in every zone a number may lie in."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.quiet_hours import (
    EARLIEST,
    LATEST,
    QuietHours,
    candidate_zones,
    parse_quiet_hours,
)
from service.errors import InvalidInputError
from tests.closed_days import is_closed

DENVER, PHOENIX, HONOLULU = "America/Denver", "America/Phoenix", "Pacific/Honolulu"
CHICAGO, NEW_YORK, LOS_ANGELES = "America/Chicago", "America/New_York", "America/Los_Angeles"
US_ZONES = [
    DENVER,
    PHOENIX,
    HONOLULU,
    CHICAGO,
    NEW_YORK,
    LOS_ANGELES,
    "America/Anchorage",
    "America/Adak",
    "America/Boise",
    "America/Indiana/Knox",
]
INSTANTS = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
WINDOWS = st.sampled_from(["10:00-18:00", "09:00-20:00", "12:00-13:00", "09:30-17:45"])


def local(zone: str, year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """An instant, as the clocks of ``zone`` show it."""
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def allowed(now: datetime, *zones: str, window: str = "10:00-18:00") -> datetime:
    return parse_quiet_hours(window).allowed_at(zones, now)


def zones_of(number: str) -> tuple[str, ...]:
    return candidate_zones(number, given=None, fallback="UTC")


def may_ring(instant: datetime, zone: str, opens: time, closes: time) -> bool:
    there = instant.astimezone(ZoneInfo(zone))
    return not is_closed(there.date()) and opens <= there.time() < closes


def test_inside_the_window_now_is_allowed() -> None:
    noon = local(DENVER, 2026, 3, 3, 12)
    assert allowed(noon, DENVER) == noon
    assert allowed(noon, DENVER).tzinfo is UTC


@pytest.mark.parametrize(
    ("hour", "minute", "second", "inside"),
    [(9, 59, 59, False), (10, 0, 0, True), (17, 59, 59, True), (18, 0, 0, False)],
)
def test_the_window_includes_its_opening_and_excludes_its_closing(
    hour: int, minute: int, second: int, inside: bool
) -> None:
    now = local(DENVER, 2026, 3, 3, hour, minute) + timedelta(seconds=second)
    assert (allowed(now, DENVER) == now) == inside


def test_before_the_window_it_is_today_and_after_it_tomorrow() -> None:
    assert allowed(local(DENVER, 2026, 3, 3, 6), DENVER) == local(DENVER, 2026, 3, 3, 10)
    assert allowed(local(DENVER, 2026, 3, 3, 18), DENVER) == local(DENVER, 2026, 3, 4, 10)


@pytest.mark.parametrize(("day", "hour"), [(6, 18), (7, 0), (7, 12), (8, 12), (8, 23), (9, 3)])
def test_weekends_wait_for_monday(day: int, hour: int) -> None:
    """March 6, 2026 is a Friday; on the 8th the clocks go forward."""
    assert allowed(local(DENVER, 2026, 3, day, hour), DENVER) == local(DENVER, 2026, 3, 9, 10)


def test_the_hour_after_the_spring_night_is_local() -> None:
    before = allowed(local(DENVER, 2026, 3, 5, 20), DENVER)
    after = allowed(local(DENVER, 2026, 3, 7, 23), DENVER)
    assert before == datetime(2026, 3, 6, 17, tzinfo=UTC)
    assert after == datetime(2026, 3, 9, 16, tzinfo=UTC)


def test_the_hour_after_the_autumn_night_is_local() -> None:
    before = allowed(local(DENVER, 2026, 10, 29, 20), DENVER)
    after = allowed(local(DENVER, 2026, 10, 31, 23), DENVER)
    assert before == datetime(2026, 10, 30, 16, tzinfo=UTC)
    assert after == datetime(2026, 11, 2, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "night", [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
)
def test_every_minute_of_both_nights_leads_to_monday_at_ten(night: datetime) -> None:
    monday = local(DENVER, night.year, night.month, night.day, 10) + timedelta(days=1)
    there = monday.astimezone(ZoneInfo(DENVER))
    assert (there.weekday(), there.hour) == (0, 10)
    for minutes in range(0, 24 * 60, 7):
        assert allowed(night + timedelta(hours=7, minutes=minutes), DENVER) == monday


def test_arizona_and_hawaii_keep_their_clocks() -> None:
    for month in (1, 7):
        assert allowed(local(PHOENIX, 2026, month, 6, 3), PHOENIX).hour == 17
        assert allowed(local(HONOLULU, 2026, month, 6, 3), HONOLULU).hour == 20


def test_arizona_and_denver_share_nine_of_ten_hours_in_summer() -> None:
    # Ten in Phoenix is eleven in Denver from March to November, and ten in winter.
    summer, winter = local(DENVER, 2026, 7, 7, 10), local(DENVER, 2026, 1, 6, 10)
    assert allowed(summer, DENVER, PHOENIX) == summer + timedelta(hours=1)
    assert allowed(winter, DENVER, PHOENIX) == winter


def test_all_fifty_states_share_the_afternoon() -> None:
    morning = local(NEW_YORK, 2026, 1, 6, 8)
    shared = allowed(morning, NEW_YORK, LOS_ANGELES, HONOLULU, window="09:00-20:00")
    assert shared == local(NEW_YORK, 2026, 1, 6, 14)
    in_summer = allowed(local(NEW_YORK, 2026, 7, 7, 8), NEW_YORK, HONOLULU, window="09:00-20:00")
    assert in_summer == local(NEW_YORK, 2026, 7, 7, 15)


def test_friday_evening_in_the_east_is_too_late_although_the_west_still_works() -> None:
    now = local(NEW_YORK, 2026, 3, 6, 18, 30)
    assert allowed(now, NEW_YORK, LOS_ANGELES) == local(LOS_ANGELES, 2026, 3, 9, 10)


def test_zones_that_share_no_hour_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="share no allowed hour"):
        allowed(datetime(2026, 3, 3, tzinfo=UTC), "Pacific/Guam", NEW_YORK)


@settings(max_examples=300)
@given(INSTANTS, st.sets(st.sampled_from(US_ZONES), min_size=1, max_size=3), WINDOWS)
def test_the_instant_found_is_allowed_everywhere_and_none_earlier_is(
    now: datetime, zones: set[str], window: str
) -> None:
    hours = parse_quiet_hours(window)
    try:
        found = hours.allowed_at(zones, now)
    except InvalidInputError:
        # Only a narrow window can fail, between zones too far apart.
        assert window == "12:00-13:00"
        return
    assert found >= now
    assert all(may_ring(found, zone, hours.opens, hours.closes) for zone in zones)
    assert hours.allowed_at(zones, found) == found
    if found > now:
        for part in range(10):
            earlier = now + (found - now) * part / 10
            assert not all(may_ring(earlier, zone, hours.opens, hours.closes) for zone in zones)


@given(INSTANTS)
def test_without_quiet_hours_any_instant_will_do(now: datetime) -> None:
    assert QuietHours(enforced=False).allowed_at([DENVER], now) == now


def test_the_default_is_ten_to_six() -> None:
    assert str(QuietHours()) == "10:00-18:00"


@pytest.mark.parametrize("typed", ["10:00-18:00", "09:00-20:00", "12:30-12:31", "none"])
def test_what_is_typed_is_what_is_shown(typed: str) -> None:
    assert str(parse_quiet_hours(typed)) == typed


def test_spaces_and_whole_hours_are_taken() -> None:
    assert str(parse_quiet_hours(" 10:00 - 18:00 ")) == "10:00-18:00"
    assert str(parse_quiet_hours("10-18")) == "10:00-18:00"
    assert not parse_quiet_hours(" none ").enforced


@pytest.mark.parametrize(
    "typed", ["08:59-18:00", "09:00-20:01", "00:00-23:59", "18:00-10:00", "12:00-12:00"]
)
def test_a_window_outside_the_hard_limits_or_the_wrong_way_round_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="must lie within 09:00-20:00"):
        parse_quiet_hours(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ten to six",
        "10:00",
        "10:00-",
        "10:00-12:00-14:00",
        "25:00-26:00",
        "None",
        "10:00Z-18:00",
    ],
)
def test_what_is_no_window_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="such as 10:00-18:00, or none"):
        parse_quiet_hours(typed)


@given(st.text(max_size=16) | st.from_regex(r"[0-2]?\d:\d\d ?- ?[0-2]?\d:\d\d", fullmatch=True))
def test_whatever_is_typed_is_read_within_the_limits_or_refused(typed: str) -> None:
    try:
        hours = parse_quiet_hours(typed)
    except InvalidInputError:
        return
    assert not hours.enforced or EARLIEST <= hours.opens < hours.closes <= LATEST


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+13035550100", {DENVER}),
        ("+16025550100", {PHOENIX}),
        ("+18085550100", {HONOLULU}),
        ("+12125550100", {NEW_YORK}),
        ("+18505550100", {CHICAGO, NEW_YORK}),
        ("+12085550100", {"America/Boise", DENVER, LOS_ANGELES}),
        ("+13085550100", {CHICAGO, DENVER}),
        ("+12705550100", {CHICAGO, NEW_YORK}),
        ("+15415550100", {DENVER, LOS_ANGELES}),
        ("+19285550100", {DENVER, PHOENIX}),
    ],
)
def test_a_number_may_be_anywhere_in_its_area(number: str, zones: set[str]) -> None:
    assert set(zones_of(number)) == zones


def test_the_exchange_proves_nothing_about_a_number() -> None:
    assert {zones_of(f"+1850{exchange}0100") for exchange in (234, 435, 555, 769)} == {
        (CHICAGO, NEW_YORK)
    }


@pytest.mark.parametrize(
    ("overlay", "older"),
    [
        ("364", "270"),
        ("448", "850"),
        ("930", "812"),
        ("458", "541"),
        ("236", "250"),
        ("257", "250"),
        ("672", "250"),
        ("778", "250"),
        ("367", "418"),
        ("581", "418"),
    ],
)
def test_an_overlay_has_at_least_the_zones_of_the_code_it_lies_over(
    overlay: str, older: str
) -> None:
    assert set(zones_of(f"+1{overlay}5550100")) >= set(zones_of(f"+1{older}5550100"))


def test_the_zone_a_member_gave_settles_it() -> None:
    given_zone = candidate_zones("+18505550100", given=CHICAGO, fallback=DENVER)
    assert given_zone == (CHICAGO,)


@pytest.mark.parametrize("number", ["33550", "ACME", "+15555550100", ""])
def test_a_number_that_tells_nothing_is_in_the_programs_zone(number: str) -> None:
    assert candidate_zones(number, given=None, fallback=DENVER) == (DENVER,)


def test_numbers_of_other_countries_have_their_own_zones() -> None:
    assert zones_of("+442070313000") == ("Europe/London",)


def test_a_split_area_is_texted_when_both_its_zones_allow() -> None:
    now = local(NEW_YORK, 2026, 3, 3, 10)
    assert allowed(now, *zones_of("+18505550100")) == local(CHICAGO, 2026, 3, 3, 10)
    evening = local(CHICAGO, 2026, 3, 3, 17, 30)
    assert allowed(evening, *zones_of("+18505550100")) == local(CHICAGO, 2026, 3, 4, 10)
