"""Plans that make no sense, and openings that are for staff to decide."""

from datetime import UTC, datetime, timedelta

import pytest

from service.domain.opening import Plan, has_grown, is_late
from service.errors import RefusedError

NOW = datetime(2026, 3, 3, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_plan(opens: float = 1, closes: float = 49, **details: object) -> Plan:
    return Plan("staffing", NOW + opens * HOUR, NOW + closes * HOUR, **details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (a_plan(2, 1), "close before it opens"),
        (a_plan(1, 1), "close before it opens"),
        (a_plan(-1), "open in the past"),
        (a_plan(reminder_after_hours=48), "its reminder, 48 hours after it opens"),
        (a_plan(results_text_at=NOW + 48 * HOUR), "results text"),
    ],
)
def test_times_that_make_no_sense_are_refused(plan: Plan, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        plan.check(NOW)


def test_times_at_their_limits_are_fine() -> None:
    a_plan(0, reminder_after_hours=48, results_text_at=NOW + 49 * HOUR).check(NOW)


@pytest.mark.parametrize(("minutes", "late"), [(59, False), (60, False), (61, True)])
def test_a_poll_is_late_beyond_the_programs_limit(minutes: int, late: bool) -> None:
    assert is_late(a_plan(0), 60, NOW + timedelta(minutes=minutes)) is late


@pytest.mark.parametrize(
    ("confirmed", "people", "grown"),
    [
        (None, 9, False),
        (0, 0, False),
        (0, 1, True),
        (10, 11, False),
        (10, 12, True),
        (10, 3, False),
    ],
)
def test_an_audience_grows_by_more_than_a_tenth(
    confirmed: int | None, people: int, grown: bool
) -> None:
    assert has_grown(confirmed, people) is grown
