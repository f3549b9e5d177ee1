"""Counting: a poll's answers and people to the figures that are published.

The arithmetic is an identity over people: ``replied = applicable + the sum of exclusions`` and
``audience = sent + the sum of those not sent, by reason``. A tally that breaks it cannot be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from service.domain.polls import Choice, Question, QuestionKind

NOT_APPLICABLE = "not applicable"


def percent(count: int, total: int) -> int:
    """Whole percent, halves up, each choice by itself: sums of 99 or 101 are printed as they are.

    >>> percent(390, 867), percent(477, 867), percent(1, 200)
    (45, 55, 1)
    """
    return (200 * count + total) // (2 * total) if total else 0


@dataclass(frozen=True, slots=True)
class ChoiceCount:
    """One line of a result."""

    label: str
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """What is published of a number question."""

    count: int
    median: float | None
    lower_quartile: float | None
    upper_quartile: float | None


@dataclass(frozen=True, slots=True)
class QuestionTally:
    """One question's result.

    Attributes:
        applicable: people whose valid answer is in the percentages.
        replied: people with any text attributed to the question.
        excluded: the other people who replied, by reason.
        when: choices, one of which must have been made for this question to be asked.
    """

    position: int
    kind: QuestionKind
    text: str
    choices: tuple[ChoiceCount, ...]
    applicable: int
    replied: int
    excluded: Mapping[str, int]
    number: NumberSummary | None = None
    when: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if self.replied != self.applicable + sum(self.excluded.values()):
            raise ValueError(f"question {self.position}: people who replied do not add up")


@dataclass(frozen=True, slots=True)
class Funnel:
    """From the people chosen to the people reached.

    Attributes:
        audience: people fixed at the opening.
        sent: people whose text the carrier took.
        by_receipt: those, by what became of the text.
        not_sent: the others, by reason.
    """

    audience: int
    sent: int
    by_receipt: Mapping[str, int] = field(default_factory=dict)
    not_sent: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sent != sum(self.by_receipt.values()):
            raise ValueError("receipts do not add up to the texts sent")
        if self.audience != self.sent + sum(self.not_sent.values()):
            raise ValueError("people sent to and not sent to do not add up to the audience")

    @property
    def delivered(self) -> int:
        """People whose phone confirmed the text."""
        return self.by_receipt.get("delivered", 0)


@dataclass(frozen=True, slots=True)
class Tally:
    """A poll's whole result."""

    funnel: Funnel
    questions: tuple[QuestionTally, ...]


def count_question(
    question: Question,
    votes: Mapping[str, int],
    unanswered: Mapping[str, int],
    *,
    answered: int | None = None,
    number: NumberSummary | None = None,
) -> QuestionTally:
    """The result of one question.

    Args:
        votes: people by label chosen.
        unanswered: people who replied without a valid answer, by reason.
        answered: people with an answer, for open and number questions.
    """
    applicable_choices = [choice for choice in question.choices if choice.applicable]
    if question.choices:
        applicable = sum(votes.get(choice.label, 0) for choice in applicable_choices)
    else:
        applicable = answered or 0
    not_applicable = sum(votes.get(c.label, 0) for c in question.choices if not c.applicable)
    excluded = {NOT_APPLICABLE: not_applicable, **unanswered}
    return QuestionTally(
        position=question.position,
        kind=question.kind,
        text=question.text,
        choices=_ordered(question, applicable_choices, votes, applicable),
        applicable=applicable,
        replied=applicable + sum(excluded.values()),
        excluded={reason: people for reason, people in excluded.items() if people},
        number=number,
        when=question.when,
        unit=question.unit,
    )


def _ordered(
    question: Question, choices: list[Choice], votes: Mapping[str, int], applicable: int
) -> tuple[ChoiceCount, ...]:
    """Yes/no as on the ballot, others by share."""
    counted = [
        ChoiceCount(c.label, votes.get(c.label, 0), percent(votes.get(c.label, 0), applicable))
        for c in choices
    ]
    if question.kind is not QuestionKind.YES_NO:
        counted.sort(key=lambda line: -line.count)
    return tuple(counted)


def said_line(line: ChoiceCount) -> str:
    """One bullet of the article.

    >>> said_line(ChoiceCount("yes", 390, 45))
    '45% said "yes."'
    """
    return f'{line.percent}% said "{line.label}."'


def conducted_line(opened_at: datetime, timezone: str, applicable: int) -> str:
    """The article's footer, dated in the program's zone.

    >>> from datetime import UTC
    >>> conducted_line(datetime(2021, 3, 30, 16, tzinfo=UTC), "America/Denver", 867)
    'The poll was conducted March 30, 2021, with 867 applicable responses.'
    """
    day = opened_at.astimezone(ZoneInfo(timezone))
    responses = "response" if applicable == 1 else "responses"
    return (
        f"The poll was conducted {day:%B} {day.day}, {day.year}, "
        f"with {applicable:,} applicable {responses}."
    )


def sentence(tally: Tally, opened_at: datetime, timezone: str) -> str:
    """The result in the form the program publishes: the shares, then when and how many."""
    first = tally.questions[0]
    lines = [said_line(line) for line in first.choices]
    return " ".join([*lines, conducted_line(opened_at, timezone, first.applicable)])
