"""Dropping the small talk around a word that decides."""

from collections.abc import Iterable
from functools import cache

from service.domain.reading.words import words


@cache
def _by_length(lists: tuple[str, ...]) -> tuple[int, frozenset[tuple[str, ...]]]:
    phrases = frozenset(tuple(phrase.split()) for name in lists for phrase in words(name))
    return max(map(len, phrases), default=0), phrases


def opening_length(tokens: list[str], *lists: str, start: int = 0) -> int:
    """How many tokens from ``start`` on are the longest phrase of ``lists``; 0 for none."""
    longest, phrases = _by_length(lists)
    for length in range(min(longest, len(tokens) - start), 0, -1):
        if tuple(tokens[start : start + length]) in phrases:
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
    longest, phrases = _by_length(lists)
    for length in range(min(longest, len(tokens)), 0, -1):
        if tuple(tokens[-length:]) in phrases:
            return length
    return 0
