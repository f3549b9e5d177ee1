"""Words that no choice may be called, because they already mean something to the program."""

from service.domain.reading.keywords import read_help, read_join
from service.domain.reading.normalise import normalise
from service.domain.reading.optouts import opt_out_rule
from service.domain.reading.values import Asked, Label


def reserved_meaning(word: str, keywords: frozenset[str]) -> str | None:
    """What ``word`` already means ("STOP", "HELP", "joining"), or ``None``.

    >>> reserved_meaning("End", frozenset())
    'STOP'
    """
    normal = normalise(word)
    if opt_out_rule(word, normal):
        return "STOP"
    if read_help(normal):
        return "HELP"
    join = read_join(normal, Asked(keywords=keywords))
    if join:
        return "START" if join.label is Label.START else "joining"
    return None
