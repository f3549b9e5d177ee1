"""Instants as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from service.domain.spoken_times import spoken_time

CLOSE = datetime(2026, 3, 5, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("America/New_York", "Thu 5pm ET"),
        ("America/Denver", "Thu 3pm MT"),
        ("America/Phoenix", "Thu 3pm MST"),
        ("America/Anchorage", "Thu 1pm AKT"),
        ("Pacific/Honolulu", "Thu 12pm HST"),
        ("America/St_Johns", "Thu 6:30pm NT"),
        ("Europe/London", "Thu 10pm GMT"),
        ("Asia/Dubai", "Fri 2am UTC+04"),
        ("UTC", "Thu 10pm UTC"),
    ],
)
def test_a_time_is_said_in_the_programs_zone(zone: str, said: str) -> None:
    assert spoken_time(CLOSE, zone, said_at=CLOSE - timedelta(days=1)) == said


def test_a_weekday_that_is_far_off_has_its_date() -> None:
    said_at = CLOSE - timedelta(days=7)
    assert spoken_time(CLOSE, "America/New_York", said_at=said_at) == "Thu Mar 5 5pm ET"


def test_midnight_and_noon() -> None:
    assert spoken_time(datetime(2026, 3, 5, tzinfo=UTC), "UTC") == "Thu Mar 5 12am UTC"
