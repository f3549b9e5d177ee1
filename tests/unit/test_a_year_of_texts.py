"""A year of members in every area code: nobody's phone ever rings at a wrong hour.

The hours are worked out here once more and in another way: the window of every working day in
each zone, cut with those of the other zones the number may lie in. The gate must hand over inside
of what is left and nowhere else, and put off to the very beginning of the next such stretch.
"""

from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from service.domain.consent import SubscriberState
from service.domain.deliveries import DeliveryState
from service.domain.gate import LEAST_LIFE, Standing, Verdict, may_be_sent
from service.domain.polls import PollState
from service.domain.programs import Program
from service.domain.quiet_hours import QuietHours, candidate_zones
from tests.closed_days import is_closed

Stretch = tuple[datetime, datetime]

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
OPENS, CLOSES = time(10), time(18)
PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550", quiet_hours=QuietHours())
AREA_CODES = sorted({prefix[1:4] for prefix in TIMEZONE_DATA if prefix[0] == "1" < prefix[1:2]})
DENVER, PHOENIX, HONOLULU = "America/Denver", "America/Phoenix", "Pacific/Honolulu"


def number_in(area_code: str) -> str:
    return f"+1{area_code}2000100"


def zones_in(area_code: str) -> tuple[str, ...]:
    return candidate_zones(number_in(area_code), given=None, fallback="UTC")


AREAS: dict[tuple[str, ...], list[str]] = defaultdict(list)
for code in AREA_CODES:
    AREAS[zones_in(code)].append(code)


@cache
def windows(zone: str) -> list[Stretch]:
    """The hours of every working day of the year and of the days around it."""
    days = (date(2025, 12, 29) + timedelta(days=n) for n in range(380))
    info = ZoneInfo(zone)
    return [
        tuple(datetime.combine(day, at, info).astimezone(UTC) for at in (OPENS, CLOSES))
        for day in days
        if not is_closed(day)
    ]  # type: ignore[misc]


@cache
def shared(zones: tuple[str, ...]) -> list[Stretch]:
    """The stretches of time inside a window of every zone."""
    found = windows(zones[0])
    for zone in zones[1:]:
        others = windows(zone)
        cut = (
            (max(opens, other[0]), min(closes, other[1]))
            for opens, closes in found
            for other in others[max(0, bisect_right(others, (opens, opens)) - 2) :][:4]
        )
        found = sorted({(opens, closes) for opens, closes in cut if opens < closes})
    return found


@cache
def last_calls(zones: tuple[str, ...]) -> list[datetime]:
    """From when on a text waits for the next stretch."""
    return [closes - LEAST_LIFE for _, closes in shared(zones)]


def verdict_at(area_code: str, now: datetime) -> Verdict:
    standing = Standing(
        number_in(area_code), SubscriberState.ACTIVE, False, False, None, PollState.OPEN
    )
    return may_be_sent(standing, PROGRAM, now)


def check(area_code: str, now: datetime) -> DeliveryState:
    """Hold a verdict against the stretches worked out here."""
    stretches = shared(zones_in(area_code))
    verdict = verdict_at(area_code, now)
    opens, closes = stretches[bisect_right(last_calls(zones_in(area_code)), now)]
    if opens <= now:
        assert verdict.state is DeliveryState.HANDED, (area_code, now)
        assert verdict.expires_at == closes, (area_code, now)
    else:
        assert verdict.state is DeliveryState.DEFERRED, (area_code, now)
        assert verdict.not_before == opens, (area_code, now)
    return verdict.state


def test_all_american_zones_and_both_clock_changes_are_among_them() -> None:
    zones = {zone for candidates in AREAS for zone in candidates}
    assert len(AREA_CODES) > 400
    assert {DENVER, PHOENIX, HONOLULU, "America/Adak", "America/Puerto_Rico"} <= zones
    assert zones_in("602") == (PHOENIX,)
    assert zones_in("808") == (HONOLULU,)
    assert zones_in("928") == (DENVER, PHOENIX)
    offsets = {
        now.astimezone(ZoneInfo(DENVER)).utcoffset() for now in (START, START.replace(month=7))
    }
    assert len(offsets) == 2


@pytest.mark.parametrize("area_code", AREA_CODES)
def test_the_candidates_of_an_area_code_are_all_zones_of_its_exchanges(area_code: str) -> None:
    known = {
        zone
        for prefix, zones in TIMEZONE_DATA.items()
        if prefix.startswith(f"1{area_code}")
        for zone in zones
    }
    assert known <= set(zones_in(area_code))


def test_no_phone_rings_at_a_wrong_hour_in_a_year_of_steps() -> None:
    """Every set of zones, every 4 hours 47 minutes, and the edges of every stretch."""
    seen: dict[DeliveryState, int] = defaultdict(int)
    for zones, area_codes in AREAS.items():
        step = timedelta(hours=4, minutes=47)
        instants = [START + step * n for n in range(int((END - START) / step))]
        second = timedelta(seconds=1)
        for opens, closes in shared(zones):
            instants += [opens - second, opens, closes - LEAST_LIFE - second, closes - second]
        for now in instants:
            if START <= now < END:
                seen[check(area_codes[0], now)] += 1
    assert min(seen.values()) > 10_000


@settings(max_examples=500)
@given(
    st.sampled_from(AREA_CODES),
    st.integers(0, int((END - START).total_seconds()) - 1).map(
        lambda seconds: START + timedelta(seconds=seconds)
    ),
)
def test_whichever_area_and_instant(area_code: str, now: datetime) -> None:
    check(area_code, now)


@pytest.mark.parametrize("area_code", ["303", "602", "808", "928", "212", "907", "850", "208"])
@pytest.mark.parametrize("night", [date(2026, 3, 8), date(2026, 11, 1)])
def test_both_nights_on_which_clocks_change_lead_to_monday_morning(
    area_code: str, night: date
) -> None:
    friday = datetime.combine(night - timedelta(days=1), time(12), UTC)
    monday = night + timedelta(days=1)
    for minutes in range(0, 36 * 60, 30):
        verdict = verdict_at(area_code, friday + timedelta(minutes=minutes))
        assert verdict.not_before is not None
        local = [verdict.not_before.astimezone(ZoneInfo(zone)) for zone in zones_in(area_code)]
        assert {there.date() for there in local} == {monday}
        assert min(there.time() for there in local) == OPENS
