"""What the reader takes and gives."""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from service.domain.polls import Question


class Label(StrEnum):
    """What a text is."""

    ANSWER = "answer"
    NOT_APPLICABLE = "na"
    UNSURE = "unsure"
    STOP = "stop"
    HOLD = "hold"
    HELP = "help"
    START = "start"
    CONFIRM = "confirm"
    JOIN = "join"
    REACTION = "reaction"
    AUTO_REPLY = "autoreply"
    COURTESY = "courtesy"
    UNCLEAR = "unclear"


class Expected(NamedTuple):
    """A question that a text may answer.

    Attributes:
        whole_message: take only a direct answer that is the whole text; set for an earlier
            question while an open follow-up waits, since that takes any words.
    """

    question: Question
    whole_message: bool = False


class Asked(NamedTuple):
    """What the service said last to this person, as far as reading needs it.

    Attributes:
        brand: the program's name, dropped from opt-outs such as "stop Acme Stat".
        keywords: the program's join words, upper case.
        pending: a double opt-in waits for YES.
        questions: tried in this order.
    """

    brand: str = ""
    keywords: frozenset[str] = frozenset()
    pending: bool = False
    questions: tuple[Expected, ...] = ()


class Reading(NamedTuple):
    """What a text says.

    Attributes:
        rule: name of the rule that decided.
        position: position of the question answered, 0 where none is.
        choice: label of the choice on the ballot.
        number: value of a number answer.
        text: words of an open answer.
        comment: words beside the choice, as typed.
        keyword: join word, upper case.
    """

    label: Label
    rule: str
    position: int = 0
    choice: str | None = None
    number: Decimal | None = None
    text: str | None = None
    comment: str = ""
    keyword: str | None = None
