"""Numbers: digits with separators and the question's unit, inside its range."""

import re
from decimal import Decimal

from service.domain.reading.normalise import normalise, tidy
from service.domain.reading.values import Expected, Label, Reading

_NUMBER = re.compile(
    r"\A[$€£]?\s*(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d{1,12}(?:\.\d+)?)\s*(.*)\Z", re.S
)


def read_number(expected: Expected, text: str, normal: str) -> Reading | None:
    """The number that is the whole of ``text``, within the question's bounds, or ``None``."""
    question = expected.question
    found = _NUMBER.match(tidy(text))
    if found is None:
        return None
    tail = normalise(found[2])
    if found[2].strip(" .!%") and tail != normalise(question.unit):
        return None
    value = Decimal(found[1].replace(",", ""))
    if question.minimum is not None and value < question.minimum:
        return None
    if question.maximum is not None and value > question.maximum:
        return None
    return Reading(Label.ANSWER, "number", question.position, number=value)
