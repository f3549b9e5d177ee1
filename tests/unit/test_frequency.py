"""How often a number may be texted, and what a plan comes to."""

from datetime import UTC, datetime, timedelta

import pytest

from service.domain.frequency import (
    LEAST_MONTHLY_TEXTS,
    Sent,
    texts_a_month,
    texts_a_poll,
)
from service.domain.polls import Question, QuestionKind, yes_no_choices
from service.domain.programs import Program

NOW = datetime(2026, 3, 3, 18, tzinfo=UTC)
FIRST = Question(1, QuestionKind.YES_NO, "Coaching?", yes_no_choices())
PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550")


def an_open(position: int, *when: str) -> Question:
    return Question(position, QuestionKind.OPEN, "Tell us how.", when=when)


def hours_ago(*hours: float) -> tuple[datetime, ...]:
    return tuple(NOW - timedelta(hours=one) for one in hours)


@pytest.mark.parametrize(
    ("questions", "texts"),
    [
        ((FIRST,), 2),
        ((FIRST, an_open(2)), 3),
        ((FIRST, an_open(2, "yes")), 3),
        ((FIRST, an_open(2, "yes"), an_open(3, "yes")), 4),
        ((FIRST, an_open(2, "yes"), an_open(3, "no")), 3),  # nobody is asked both
        ((FIRST, an_open(2), an_open(3)), 4),
    ],
)
def test_a_poll_comes_to_its_longest_way_and_the_acknowledgement(
    questions: tuple[Question, ...], texts: int
) -> None:
    assert texts_a_poll(questions) == texts


def test_a_reminder_and_the_results_are_a_text_each() -> None:
    assert texts_a_poll((FIRST,), reminder=True) == 3
    assert texts_a_poll((FIRST,), reminder=True, results=True) == 4


def test_a_month_has_five_weeks() -> None:
    assert texts_a_month(texts_a_poll((FIRST,))) == LEAST_MONTHLY_TEXTS == 10


def test_what_a_program_states_by_itself_holds_a_question_with_a_follow_up() -> None:
    assert PROGRAM.monthly_texts == texts_a_month(texts_a_poll((FIRST, an_open(2, "yes"))))


def test_the_fourth_text_waits_until_a_day_after_the_first_of_three() -> None:
    sent = Sent(unasked=hours_ago(1, 20, 3))
    assert sent.limit(NOW) == (NOW + timedelta(hours=4), "3 texts in 24 hours")
    assert sent.limit(NOW + timedelta(hours=4)) == (NOW + timedelta(hours=4), "")


def test_of_more_than_three_the_third_newest_counts() -> None:
    free_at, _ = Sent(unasked=hours_ago(1, 2, 3, 4, 5)).limit(NOW)
    assert free_at == NOW + timedelta(hours=21)


def test_two_texts_in_a_day_stop_no_third() -> None:
    assert Sent(unasked=hours_ago(1, 2, 24)).limit(NOW) == (NOW, "")


def test_the_eleventh_text_in_an_hour_waits() -> None:
    ten = tuple(NOW - timedelta(minutes=5 * index) for index in range(1, 11))
    assert Sent(automatic=ten).limit(NOW) == (NOW + timedelta(minutes=10), "10 texts in an hour")
    assert Sent(automatic=ten[1:]).limit(NOW) == (NOW, "")


def test_where_both_limits_hold_the_later_one_counts() -> None:
    ten = tuple(NOW - timedelta(minutes=index) for index in range(10))
    sent = Sent(unasked=hours_ago(1, 2, 3), automatic=ten)
    assert sent.limit(NOW) == (NOW + timedelta(hours=21), "3 texts in 24 hours")


def test_what_a_turn_has_sent_already_counts() -> None:
    sent = Sent(month=4, unasked=hours_ago(1)).plus(2, NOW)
    assert (sent.month, len(sent.unasked), len(sent.automatic)) == (6, 3, 2)
    assert sent.limit(NOW)[0] == NOW + timedelta(hours=23)


def test_the_note_counts_the_text_in_hand() -> None:
    sent = Sent(month=3, unasked=hours_ago(1, 25), automatic=hours_ago(0.5, 2))
    assert sent.note(15, NOW) == "month 4/15; day 2/3; hour 2/10"
