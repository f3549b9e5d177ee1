"""Yes and no, and what only looks like them."""

import re

from service.domain.polls import Question
from service.domain.reading.choices import names
from service.domain.reading.normalise import tidy
from service.domain.reading.values import Expected, Label, Reading
from service.domain.reading.words import words

_LEADING = re.compile(r"\A\W*(yes|no)\b(?!\s*\?)[\s,.;:!—–-]*(.*)\Z", re.I | re.S)
_SIGNS = (("yes", "yes"), ("no", "no"))


def _vote(question: Question, sign: str, rule: str, comment: str = "") -> Reading:
    choice = question.choice_labelled(sign)
    label = choice.label if choice else sign
    return Reading(Label.ANSWER, rule, question.position, choice=label, comment=comment)


def _ballot(question: Question, normal: str) -> Reading | None:
    """A label or alias beyond yes and no, such as "N/A" or "unsure" on this ballot."""
    for choice in question.choices[2:]:
        if normal in names(choice):
            return Reading(Label.ANSWER, "ballot label", question.position, choice=choice.label)
    return None


def _on_ballot(question: Question, label: Label, rule: str) -> Reading:
    """Unsure or N/A: an answer where a choice of the ballot stands for it."""
    known = words(label.value)
    for choice in question.choices:
        if not known.isdisjoint(names(choice)):
            return Reading(label, rule, question.position, choice=choice.label)
    return Reading(label, rule, question.position)


def _whole(question: Question, text: str, normal: str) -> Reading | None:
    for sign, name in _SIGNS:
        if normal in words(name):
            return _vote(question, sign, f"{sign} word")
        if not normal and any(emoji in text for emoji in words(f"{name}_emoji")):
            return _vote(question, sign, f"{sign} emoji")
    if normal in words("unsure"):
        return _on_ballot(question, Label.UNSURE, "unsure phrase")
    if normal in words("na"):
        return _on_ballot(question, Label.NOT_APPLICABLE, "not applicable phrase")
    return None


def read_yes_no(expected: Expected, text: str, normal: str) -> Reading | None:
    """The vote in ``text``, or ``None`` where it is not plainly one."""
    question = expected.question
    if normal.endswith(("y", "yes", "n", "no")) and text.rstrip().endswith("?"):
        return None
    whole = _ballot(question, normal) or _whole(question, text, normal)
    if whole or expected.whole_message:
        return whole
    if any(normal == trap or normal.startswith(f"{trap} ") for trap in words("traps")):
        return None
    leading = _LEADING.match(tidy(text))
    if leading:
        return _vote(
            question, leading[1].lower(), f"leading {leading[1].lower()}", leading[2].strip()
        )
    return None
