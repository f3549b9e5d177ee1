"""Opt-outs: the whole message, its first clause, or an explicit phrase inside it."""

import re
from functools import cache

from service.domain.reading.normalise import normalise
from service.domain.reading.words import words

_CLAUSE_END = re.compile(r"[.!?,;:\n]+")


@cache
def _phrases() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(sorted(words("opt_out_phrases"))) + r")\b")


@cache
def _fillers() -> re.Pattern[str]:
    longest_first = sorted(words("filler"), key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")


def _without_filler(normal: str, brand: str) -> str:
    if brand:
        normal = re.sub(rf"\b{re.escape(brand)}\b", " ", normal)
    return " ".join(_fillers().sub(" ", normal).split())


def opt_out_rule(text: str, normal: str, *, brand: str = "") -> str | None:
    """Name of the opt-out rule that ``text`` meets, or ``None``.

    Args:
        text: as typed.
        normal: the same, normalised.
        brand: the program's name, normalised.

    >>> opt_out_rule("Stop. Thank you", "stop thank you")
    'opt-out word with filler'
    >>> opt_out_rule("We opt out of Medicare", "we opt out of medicare") is None
    True
    """
    known = words("opt_out") | words("opt_out_misspelled")
    if normal in known or any(emoji in text for emoji in words("stop_emoji")):
        return "opt-out word"
    if _without_filler(normal, brand) in known:
        return "opt-out word with filler"
    first = normalise(_CLAUSE_END.split(text.strip(), maxsplit=1)[0])
    if first != normal and first in known:
        return "opt-out first clause"
    if _phrases().search(normal):
        return "opt-out phrase"
    return None


def may_be_opt_out(normal: str) -> bool:
    """Whether a short text that is nothing else should be held for a person."""
    tokens = normal.split()
    return len(tokens) <= 8 and not words("hold_words").isdisjoint(tokens)
