"""How many calls may be in flight: down by half, up by one; and nothing into a silence."""

from datetime import UTC, datetime, timedelta

from service.domain.call_pace import FIRST_PAUSE, LONGEST_PAUSE, SILENT_CALLS, Breaker, Concurrency

NOW = datetime(2026, 3, 3, 17, tzinfo=UTC)


def test_calls_at_once_are_halved_down_to_one() -> None:
    concurrency = Concurrency(25)
    seen = []
    for _ in range(6):
        concurrency.slowed(concurrency.halvings)
        seen.append(concurrency.allowed)
    assert seen == [12, 6, 3, 1, 1, 1]


def test_calls_of_one_moment_halve_once() -> None:
    concurrency = Concurrency(25)
    mark = concurrency.halvings
    for _ in range(25):
        concurrency.slowed(mark)
    assert concurrency.allowed == 12


def test_a_round_that_works_adds_one_call() -> None:
    concurrency = Concurrency(25)
    concurrency.slowed(0)
    for _ in range(13):
        concurrency.succeeded()
    assert concurrency.allowed == 13
    for _ in range(10_000):
        concurrency.succeeded()
    assert concurrency.allowed == 25


def silent(breaker: Breaker, calls: int, now: datetime = NOW) -> None:
    for _ in range(calls):
        breaker.was_silent(now)


def test_ten_silent_calls_in_a_row_open_it() -> None:
    breaker = Breaker()
    silent(breaker, SILENT_CALLS - 1)
    breaker.answered()
    silent(breaker, SILENT_CALLS - 1)
    assert breaker.may_call(NOW)
    silent(breaker, 1)
    assert not breaker.may_call(NOW)
    assert not breaker.may_call(NOW + FIRST_PAUSE - timedelta(seconds=1))


def test_one_text_tries_the_ground_and_the_pauses_grow() -> None:
    breaker, now, pauses = Breaker(), NOW, []
    silent(breaker, SILENT_CALLS)
    for _ in range(6):
        pause = next(s for s in range(1, 100) if breaker.may_call(now + timedelta(seconds=s)))
        pauses.append(pause)
        now += timedelta(seconds=pause)
        breaker.probe()
        assert not breaker.may_call(now)
        breaker.was_silent(now)
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert LONGEST_PAUSE.total_seconds() == 60


def test_an_answer_closes_it() -> None:
    breaker = Breaker()
    silent(breaker, SILENT_CALLS)
    breaker.probe()
    breaker.answered()
    assert breaker.may_call(NOW)
    assert not breaker.is_open


def test_calls_begun_before_the_pause_do_not_lengthen_it() -> None:
    breaker = Breaker()
    silent(breaker, SILENT_CALLS + 30)
    assert breaker.may_call(NOW + FIRST_PAUSE)


def test_a_probe_that_was_not_handed_over_leaves_room_for_another() -> None:
    breaker = Breaker()
    silent(breaker, SILENT_CALLS)
    later = NOW + FIRST_PAUSE
    breaker.probe()
    breaker.withdrawn()
    assert breaker.may_call(later)
