"""HELP, START and the program's own join words."""

from service.domain.reading.fillers import stripped
from service.domain.reading.normalise import Typed
from service.domain.reading.values import Asked, Label, Reading
from service.domain.reading.words import words

_MOST_WORDS_WITH_KEYWORD = 3


def read_help(typed: Typed) -> Reading | None:
    """HELP, whole message only."""
    return Reading(Label.HELP, "help word") if typed.calm in words("help") else None


def read_confirmation(typed: Typed, asked: Asked) -> Reading | None:
    """YES while a double opt-in waits for it."""
    if asked.pending and not typed.asks and typed.calm in words("confirm"):
        return Reading(Label.CONFIRM, "yes while pending")
    return None


def read_join(typed: Typed, asked: Asked) -> Reading | None:
    """START, or a join word as the whole text or the first of at most three words."""
    if typed.calm in words("start"):
        return Reading(Label.START, "start word")
    if not asked.keywords or not typed.tokens:
        return None
    # Not the squeezed words: a keyword may hold a letter three times.
    tokens = typed.normal.split()
    if len(tokens) <= _MOST_WORDS_WITH_KEYWORD + 1:
        tokens = stripped(tokens, ("join_filler",), ()) or tokens
    word = tokens[0].upper()
    if len(tokens) <= _MOST_WORDS_WITH_KEYWORD and word in asked.keywords:
        return Reading(Label.JOIN, "join word", keyword=word)
    return None
