"""Recurring instants, through both nights when the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.schedule import Daily, Every

DENVER = ZoneInfo("America/Denver")


def test_a_pace_is_kept_from_the_last_time_due() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert Every(timedelta(seconds=5)).next_after(start) == start + timedelta(seconds=5)


@pytest.mark.parametrize("day", [(2026, 3, 7), (2026, 3, 8), (2026, 10, 31), (2026, 11, 1)])
def test_ten_oclock_stays_ten_oclock_over_both_changes(day: tuple[int, int, int]) -> None:
    before = datetime(*day, 10, tzinfo=DENVER)
    found = Daily(time(10), "America/Denver").next_after(before).astimezone(DENVER)
    assert (found.hour, found.minute) == (10, 0)
    assert found.date() == before.date() + timedelta(days=1)


def test_a_time_that_the_night_skips_comes_just_after_the_gap() -> None:
    evening = datetime(2026, 3, 7, 20, tzinfo=DENVER)
    found = Daily(time(2, 30), "America/Denver").next_after(evening).astimezone(DENVER)
    assert (found.day, found.hour, found.minute) == (8, 3, 30)


def test_a_time_that_the_night_has_twice_comes_once() -> None:
    daily = Daily(time(1, 30), "America/Denver")
    evening = datetime(2026, 10, 31, 20, tzinfo=DENVER)
    first = daily.next_after(evening)
    assert first == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert daily.next_after(first) == datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


@given(
    instant=st.datetimes(
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(2027, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    at=st.times().map(lambda value: value.replace(microsecond=0, fold=0, tzinfo=None)),
    zone=st.sampled_from(["America/Denver", "America/Phoenix", "Pacific/Honolulu", "UTC"]),
)
def test_the_next_time_is_later_and_within_a_day_and_an_hour(
    instant: datetime, at: time, zone: str
) -> None:
    found = Daily(at, zone).next_after(instant)
    assert instant < found <= instant + timedelta(hours=25)
