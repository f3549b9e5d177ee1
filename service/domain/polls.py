"""Polls, their questions and choices, and what a poll may become next."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class PollState(StrEnum):
    """A poll's life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


_P = PollState
TRANSITIONS: Mapping[PollState, frozenset[PollState]] = {
    _P.DRAFT: frozenset({_P.SCHEDULED, _P.CANCELLED}),
    _P.SCHEDULED: frozenset({_P.OPEN, _P.SCHEDULED, _P.DRAFT, _P.CANCELLED}),
    _P.OPEN: frozenset({_P.PAUSED, _P.CLOSED, _P.CANCELLED}),
    _P.PAUSED: frozenset({_P.OPEN, _P.CLOSED, _P.CANCELLED}),
    _P.CLOSED: frozenset({_P.PUBLISHED}),
    _P.PUBLISHED: frozenset({_P.PUBLISHED}),
    _P.CANCELLED: frozenset(),
}
TAKING_ANSWERS = frozenset({_P.OPEN, _P.PAUSED})
"""Pause stops sending only; answers still count."""
NOT_SENT_AFTER: Mapping[PollState, str] = {
    **dict.fromkeys((_P.CLOSED, _P.PUBLISHED), "closed before it was sent"),
    _P.CANCELLED: "poll cancelled",
}
"""Why a question or a reminder that waited when its poll ended is not sent."""


class QuestionKind(StrEnum):
    """What kind of answer a question takes."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"
    OPEN = "open"


LARGEST_NUMBER = 10**15
"""A figure of this size or more is a slip or a joke; quartiles could not hold it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a ballot.

    Attributes:
        applicable: false for "N/A": counted as an exclusion, not in the percentages.
        identifier: key in the store; 0 before it is stored.
    """

    letter: str
    label: str
    aliases: tuple[str, ...] = ()
    applicable: bool = True
    identifier: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a poll.

    Attributes:
        position: 1 for the first question, 2 and 3 for follow-ups.
        when: labels of earlier choices, one of which must have been given; empty = everybody.
        rendered: the whole text as it is sent, frozen when the poll is scheduled.
        identifier: key in the store; 0 before it is stored.
    """

    position: int
    kind: QuestionKind
    text: str
    choices: tuple[Choice, ...] = ()
    when: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    unit: str = ""
    rendered: str = ""
    identifier: int = 0

    def __hash__(self) -> int:
        """Equal questions have equal words; a text in is looked up by them, so it is kept cheap."""
        return hash((self.position, self.text))

    def choice_labelled(self, label: str) -> Choice | None:
        """The choice with this label, whatever its case."""
        wanted = label.casefold()
        return next((c for c in self.choices if c.label.casefold() == wanted), None)

    def choice_named(self, name: str) -> Choice | None:
        """The choice with this label or letter, whatever its case."""
        wanted = name.strip().casefold()
        lettered = (c for c in self.choices if c.letter.casefold() == wanted)
        return self.choice_labelled(name.strip()) or next(lettered, None)

    @property
    def is_closed(self) -> bool:
        """Whether answers are picked from a ballot or are a number, not free words."""
        return self.kind is not QuestionKind.OPEN


def yes_no_choices() -> tuple[Choice, ...]:
    """The ballot of a yes/no question that names no choices of its own."""
    return (Choice("A", "yes"), Choice("B", "no"))


def next_question(
    questions: tuple[Question, ...], chosen: Mapping[int, str | None]
) -> Question | None:
    """The question to ask now: the first unanswered one whose condition holds.

    Args:
        questions: of one poll, by position.
        chosen: answered positions, each with the label chosen (``None`` for open and number).
    """
    for question in questions:
        if question.position in chosen:
            continue
        if condition_holds(question, chosen):
            return question
        if question.position == 1:
            return None
    return None


def condition_holds(question: Question, chosen: Mapping[int, str | None]) -> bool:
    """Whether the answers given so far call for this question."""
    if question.position > 1 and 1 not in chosen:
        return False
    if not question.when:
        return True
    given = {label.casefold() for label in chosen.values() if label is not None}
    return any(label.casefold() in given for label in question.when)
