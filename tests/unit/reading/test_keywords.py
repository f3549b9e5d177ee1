"""HELP, START, join words, YES while pending, and words no choice may be called."""

import pytest

from service.domain.reading import Asked, Label, read
from service.domain.reading.reserved import reserved_meaning
from tests.unit.reading.reading_helpers import KEYWORDS, asked, open_question, reading, yes_no


@pytest.mark.parametrize("text", ["HELP", "help!", "Info", "AYUDA", "aide", "help please"])
def test_help_is_a_whole_message(text: str) -> None:
    assert reading(text, open_question()).label is Label.HELP


@pytest.mark.parametrize("text", ["We need help with hiring", "More info to staff"])
def test_help_inside_a_sentence_is_not(text: str) -> None:
    assert reading(text, open_question()).label is Label.ANSWER


@pytest.mark.parametrize("text", ["Stat", "“STAT”", "stat please", "join stat", "Text STAT!"])
def test_a_join_word_opens_a_text_of_at_most_three_words(text: str) -> None:
    found = reading(text, yes_no())
    assert (found.label, found.keyword) == (Label.JOIN, "STAT")


def test_a_join_word_in_a_sentence_joins_nobody() -> None:
    assert reading("stat orders are up this year", open_question()).label is Label.ANSWER


@pytest.mark.parametrize("text", ["START", "unstop", "Start."])
def test_start_starts(text: str) -> None:
    assert reading(text, yes_no()).label is Label.START


@pytest.mark.parametrize("text", ["YES", "y", "Yes please", "sí", "Yeah!"])
def test_yes_confirms_only_while_a_double_opt_in_waits(text: str) -> None:
    assert read(text, asked(pending=True)).label is Label.CONFIRM
    assert read(text, asked()).label is Label.UNCLEAR


@pytest.mark.parametrize("text", ["yes?", "Yes but who is this", "👍", "true", "ok"])
def test_nothing_but_a_plain_yes_confirms(text: str) -> None:
    assert read(text, asked(pending=True)).label is not Label.CONFIRM


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("End", "STOP"), ("quit", "STOP"), ("Cancel!", "STOP"), ("Ópt-out", "STOP"), ("Help", "HELP"),
     ("start", "START"), ("STAT", "joining"), ("stopp", "STOP"),
     ("Out of office", "an automatic reply"),
     ("Staffing", None), ("Yes", None), ("No", None), ("End of year", None), ("N/A", None)],
)  # fmt: skip
def test_a_choice_may_not_be_called_what_means_something_already(
    word: str, meaning: str | None
) -> None:
    assert reserved_meaning(word, KEYWORDS) == meaning


def test_an_empty_text_says_nothing() -> None:
    assert read("", Asked()).label is Label.UNCLEAR
