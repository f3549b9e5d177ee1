"""Questions and texts that the reading tests share."""

from decimal import Decimal

from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, Reading, read

BRAND = "Acme Stat"
KEYWORDS = frozenset({"STAT", "TOP10"})
HARDEST = ("Staffing", "Pay and benefits", "Burnout", "Technology")


def ballot(*labels: str) -> tuple[Choice, ...]:
    return tuple(Choice(chr(ord("A") + at), label) for at, label in enumerate(labels))


def yes_no(*more: str) -> Question:
    return Question(
        1, QuestionKind.YES_NO, "Ready?", (*yes_no_choices(), *ballot("", "", *more)[2:])
    )


def choice(*labels: str) -> Question:
    return Question(1, QuestionKind.CHOICE, "Which?", ballot(*(labels or HARDEST)))


def number(
    unit: str = "", low: float | None = None, high: float | None = None, text: str = "How many?"
) -> Question:
    return Question(
        position=1,
        kind=QuestionKind.NUMBER,
        text=text,
        minimum=None if low is None else Decimal(str(low)),
        maximum=None if high is None else Decimal(str(high)),
        unit=unit,
    )


def open_question(position: int = 1) -> Question:
    return Question(position, QuestionKind.OPEN, "Tell us how.")


def asked(*questions: Question, pending: bool = False) -> Asked:
    return Asked(BRAND, KEYWORDS, pending, tuple(Expected(question) for question in questions))


def reading(text: str, *questions: Question) -> Reading:
    return read(text, asked(*questions))


def said(text: str, *questions: Question) -> str:
    """The choice of an answer, else the label."""
    found = reading(text, *questions)
    return found.choice or found.label.value
