"""HELP, START and the program's own join words."""

from service.domain.reading.values import Asked, Label, Reading
from service.domain.reading.words import words


def read_help(normal: str) -> Reading | None:
    """HELP, whole message only."""
    return Reading(Label.HELP, "help word") if normal in words("help") else None


def read_confirmation(normal: str, asked: Asked) -> Reading | None:
    """YES while a double opt-in waits for it."""
    if asked.pending and normal in words("yes"):
        return Reading(Label.CONFIRM, "yes while pending")
    return None


def read_join(normal: str, asked: Asked) -> Reading | None:
    """START, or a join word as the whole text or the first of at most three words."""
    if normal in words("start"):
        return Reading(Label.START, "start word")
    tokens = normal.upper().split()
    if tokens and len(tokens) <= 3 and tokens[0] in asked.keywords:
        return Reading(Label.JOIN, "join word", keyword=tokens[0])
    return None
