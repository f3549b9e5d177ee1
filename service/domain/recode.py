"""The answer that staff read in a text."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from service.domain.conversation import Given
from service.domain.polls import LARGEST_NUMBER, Question, QuestionKind
from service.errors import RefusedError

THE_TEXT_ITSELF = "-"


def given_for(question: Question, value: str, body: str, now: datetime) -> Given:
    """``value`` as an answer to ``question``.

    Args:
        value: label or letter of a choice, a number, or ``-`` for the words of an open answer.
        body: the text as received.

    Raises:
        RefusedError: the value does not fit the question.
    """
    if question.choices:
        choice = question.choice_named(value)
        if choice is None:
            names = ", ".join(choice.label for choice in question.choices)
            raise RefusedError(f"{value!r} is not on the ballot: {names}")
        return Given(choice=choice.label, answered_at=now)
    if question.kind is QuestionKind.NUMBER:
        return Given(number=_number(question, value), answered_at=now)
    return Given(text=body if value == THE_TEXT_ITSELF else value, answered_at=now)


def _number(question: Question, value: str) -> Decimal:
    try:
        number = Decimal(value.replace(",", ""))
    except InvalidOperation:
        raise RefusedError(f"{value!r} is not a number") from None
    low, high = question.minimum, question.maximum
    if not number.is_finite() or abs(number) >= LARGEST_NUMBER:
        raise RefusedError(f"{value!r} is no figure that can be counted")
    if low is not None and number < low:
        raise RefusedError(f"{value!r} is below {low}")
    if high is not None and number > high:
        raise RefusedError(f"{value!r} is above {high}")
    return number
