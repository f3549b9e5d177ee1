"""Join words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.keywords import SLUG, Keyword, parse_keyword
from service.errors import InvalidInputError


@pytest.mark.parametrize(
    ("typed", "word", "campaign"),
    [
        ("STAT", "STAT", "stat"),
        ("stat", "STAT", "stat"),
        (" Top10 : Spring conference ", "TOP10", "Spring conference"),
        ("TOP10:", "TOP10", "top10"),
        ("join:a:b", "JOIN", "a:b"),
        ("AB", "AB", "ab"),
        ("A" * 20, "A" * 20, "a" * 20),
    ],
)
def test_a_word_and_its_campaign_are_told_apart(typed: str, word: str, campaign: str) -> None:
    assert parse_keyword(typed) == Keyword(word, campaign)


@pytest.mark.parametrize(
    "typed", ["", ":x", "A", "A" * 21, "TWO WORDS", "10TOP", "CAFÉ", "A-B", "👍"]
)
def test_anything_but_one_word_of_letters_and_digits_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="one word of 2 to 20 letters and digits"):
        parse_keyword(typed)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{1,19}", fullmatch=True))
def test_the_case_of_a_word_does_not_matter(word: str) -> None:
    assert parse_keyword(word.lower()) == parse_keyword(word.upper()) == parse_keyword(f" {word} ")


@pytest.mark.parametrize("name", ["coaching-2021-03-30", "stat", "a", "2", "a-b-c"])
def test_names_in_addresses_are_small_letters_digits_and_single_hyphens(name: str) -> None:
    assert SLUG.fullmatch(name)


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a--b", "a b", "a_b", "é", "a/b", "a\n"])
def test_other_names_are_no_addresses(name: str) -> None:
    assert not SLUG.fullmatch(name)
