"""How a frozen result is put for the pages."""

from datetime import UTC, datetime
from typing import Any

from service.domain.programs import Program
from service.store.publications import PublishedPoll
from service.web.public.view import PollView, QuestionView, view

PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550", timezone="America/Denver")
LATE_EVENING = datetime(2021, 4, 2, 3, tzinfo=UTC)


def a_question(position: int = 1, kind: str = "choice", **counts: int) -> dict[str, Any]:
    people = sum(counts.values())
    return {
        "position": position,
        "kind": kind,
        "text": "Which?",
        "choices": [
            {
                "label": label,
                "count": count,
                "percent": round(100 * count / people) if people else 0,
            }
            for label, count in counts.items()
        ],
        "applicable": people,
        "when": [],
        "unit": "",
    }


def shown(*questions: dict[str, Any], version: int = 1, **figures: Any) -> PollView:
    results = {
        "title": "A title",
        "brand": "Acme Stat",
        "respondents": "leaders",
        "conducted": "The poll was conducted.",
        "sentence": "",
        "conducted_on": "2021-03-30",
        "closed_on": "2021-04-01",
        "audience": 10,
        "sent": 8,
        "by_receipt": {"undelivered": 1, "delivered": 7},
        "not_sent": {"on hold": 2},
        "replied": 6,
        "excluded": {"too late": 1},
        "applicable": 5,
        "questions": list(questions),
        **figures,
    }
    opened = datetime(2021, 3, 30, 18, tzinfo=UTC)
    return view(PublishedPoll(1, "which", 1, version, opened, LATE_EVENING, results), PROGRAM)


def first(*questions: dict[str, Any]) -> QuestionView:
    return shown(*questions).first


def test_equals_lead_together() -> None:
    assert [bar.leads for bar in first(a_question(A=4, B=4, C=1)).bars] == [True, True, False]


def test_nobody_leads_where_nobody_answered() -> None:
    question = first(a_question(A=0, B=0))
    assert question.leader is None
    assert [bar.width for bar in question.bars] == ["0.0", "0.0"]
    assert question.sum_of_percents is None


def test_bars_are_drawn_by_the_exact_share() -> None:
    assert [bar.width for bar in first(a_question(A=1, B=2)).bars] == ["33.3", "66.7"]


def test_a_yes_no_ballot_is_capitalised_and_others_stay_as_written() -> None:
    yes_no = first(a_question(kind="yes_no", yes=1, no=2))
    assert [bar.label for bar in yes_no.bars] == ["Yes", "No"]
    assert [bar.label for bar in first(a_question(iPads=1, none=2)).bars] == ["iPads", "none"]


def test_the_headline_is_the_leader_in_its_own_words() -> None:
    assert shown(a_question(kind="yes_no", yes=1, no=3)).headline == "75% no"
    assert shown(a_question(Staffing=3, Revenue=1)).headline == "75% Staffing"
    assert shown(a_question(kind="open")).headline == "0 answers"


def test_a_follow_up_is_shown_from_five_people_on() -> None:
    poll = shown(a_question(A=9), a_question(2, A=4), a_question(3, A=5))
    assert poll.first.shown
    assert [question.shown for question in poll.follow_ups] == [False, True]


def test_the_lines_of_the_arithmetic_add_up() -> None:
    lines = [(line.text, line.people, line.subtracts) for line in shown(a_question(A=5)).arithmetic]
    assert lines == [
        ("Members this poll was for", 10, False),
        ("not sent: on hold", 2, True),
        ("Texts sent", 8, False),
        ("of these delivered", 7, False),
        ("of these undelivered", 1, False),
        ("Members who replied", 6, False),
        ("left out: too late", 1, True),
        ("Applicable responses", 5, False),
    ]


def test_a_correction_is_dated_in_the_programs_zone() -> None:
    assert shown(a_question(A=5)).corrected_on is None
    assert str(shown(a_question(A=5), version=2).corrected_on) == "2021-04-01"
