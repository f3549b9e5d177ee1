"""Choices: by letter or number in any dress, by label, by alias."""

import re
from functools import lru_cache

from service.domain.polls import Choice, Question
from service.domain.reading.normalise import normalise
from service.domain.reading.values import Expected, Label, Reading

_DRESS = re.compile(r"\A(?:option|choice|answer|letter|number|its?|the)?\s*([a-h]|\d{1,2})\Z")


@lru_cache(maxsize=4096)
def names(choice: Choice) -> frozenset[str]:
    """The choice's label and aliases, normalised."""
    return frozenset(normalise(word) for word in (choice.label, *choice.aliases))


def _by_mark(question: Question, normal: str) -> Choice | None:
    mark = _DRESS.match(normal)
    if mark is None:
        return None
    if mark[1].isdigit():
        index = int(mark[1]) - 1
        return question.choices[index] if 0 <= index < len(question.choices) else None
    return next((c for c in question.choices if c.letter.casefold() == mark[1]), None)


def _by_name(question: Question, normal: str) -> Choice | None:
    for choice in question.choices:
        if normal in names(choice):
            return choice
    return None


def read_choice(expected: Expected, text: str, normal: str) -> Reading | None:
    """The choice that the whole of ``text`` names, or ``None``."""
    question = expected.question
    named = _by_name(question, normal)
    rule = "choice label"
    if named is None:
        named, rule = _by_mark(question, normal), "choice letter or number"
    if named is None:
        return None
    return Reading(Label.ANSWER, rule, question.position, choice=named.label)
