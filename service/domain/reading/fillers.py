"""Dropping the small talk around a word that decides."""

from collections.abc import Iterable, Mapping
from functools import cache

from service.domain.reading.words import words

_Phrases = Mapping[str, tuple[tuple[str, ...], ...]]


@cache
def _by_word(lists: tuple[str, ...], *, last: bool = False) -> _Phrases:
    """The phrases of ``lists`` by their first word, or their last, longest first."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name in lists:
        for phrase in words(name):
            tokens = tuple(phrase.split())
            found.setdefault(tokens[-1 if last else 0], set()).add(tokens)
    return {word: tuple(sorted(phrases, key=len, reverse=True)) for word, phrases in found.items()}


def opening_length(tokens: list[str], *lists: str, start: int = 0) -> int:
    """How many tokens from ``start`` on are the longest phrase of ``lists``; 0 for none."""
    if start >= len(tokens):
        return 0
    for phrase in _by_word(lists).get(tokens[start], ()):
        length = len(phrase)
        if length == 1 or tuple(tokens[start : start + length]) == phrase:
            return length
    return 0


def without(tokens: list[str], *lists: str) -> list[str]:
    """``tokens`` without the phrases of ``lists``, wherever they stand.

    >>> without(["please", "stop", "thank", "you"], "filler")
    ['stop']
    """
    kept, position = [], 0
    while position < len(tokens):
        length = opening_length(tokens, *lists, start=position)
        if not length:
            kept.append(tokens[position])
        position += length or 1
    return kept


def stripped(tokens: list[str], opening: Iterable[str], closing: Iterable[str]) -> list[str]:
    """``tokens`` without phrases of ``opening`` before and of ``closing`` after.

    >>> stripped(["we", "have", "12", "or", "so"], ("number_opening",), ("number_closing",))
    ['12']
    """
    before, after = tuple(opening), tuple(closing)
    start = 0
    while length := opening_length(tokens, *before, start=start):
        start += length
    kept = tokens[start:]
    while length := _closing_length(kept, after):
        kept = kept[:-length]
    return kept


def _closing_length(tokens: list[str], lists: tuple[str, ...]) -> int:
    if not tokens:
        return 0
    for phrase in _by_word(lists, last=True).get(tokens[-1], ()):
        if tuple(tokens[-len(phrase) :]) == phrase:
            return len(phrase)
    return 0
