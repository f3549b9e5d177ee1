"""Words that no choice may be called, because they already mean something to the program."""

from service.domain.reading.normalise import Typed
from service.domain.reading.reader import read_command
from service.domain.reading.values import Asked, Label

_MEANS = {
    Label.STOP: "STOP",
    Label.HOLD: "STOP",
    Label.HELP: "HELP",
    Label.START: "START",
    Label.JOIN: "joining",
    Label.REACTION: "a reaction",
    Label.AUTO_REPLY: "an automatic reply",
}


def reserved_meaning(word: str, keywords: frozenset[str]) -> str | None:
    """What ``word`` already means ("STOP", "HELP", "joining"), or ``None``.

    It asks the rules that come before answers, so a label that passes can always be chosen.

    >>> reserved_meaning("End", frozenset())
    'STOP'
    """
    reading = read_command(Typed(word), Asked(keywords=keywords))
    return _MEANS[reading.label] if reading else None
