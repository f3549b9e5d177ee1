"""Federal holidays, against the lists the government gives out."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.holidays import holiday_on
from tests.closed_days import CLOSED


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("year", sorted(CLOSED))
def test_the_working_days_closed_are_those_on_the_governments_list(year: int) -> None:
    found = [day for day in days_of(year) if holiday_on(day) and day.weekday() < 5]
    assert found == CLOSED[year]


def test_a_holiday_at_the_weekend_is_kept_on_both_days() -> None:
    assert holiday_on(date(2026, 7, 4)) == holiday_on(date(2026, 7, 3)) == "Independence Day"
    assert holiday_on(date(2027, 7, 4)) == holiday_on(date(2027, 7, 5)) == "Independence Day"


def test_a_new_years_day_on_a_saturday_closes_the_year_before() -> None:
    assert holiday_on(date(2021, 12, 31)) == "New Year's Day"
    assert holiday_on(date(2022, 12, 31)) is None


def test_juneteenth_is_a_holiday_since_2021() -> None:
    assert holiday_on(date(2020, 6, 19)) is None
    assert holiday_on(date(2021, 6, 18)) == "Juneteenth"


@given(st.integers(2021, 2100))
def test_every_year_has_all_eleven(year: int) -> None:
    named = {holiday_on(day) for day in days_of(year)} - {None}
    assert len(named) == 11
