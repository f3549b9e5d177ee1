"""One shape for the many ways of typing the same words."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.reading.normalise import Typed, normalise, tidy


@given(st.text())
def test_tidying_and_normalising_never_raise_and_settle(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or not once.isascii()
    assert Typed(text).tokens == Typed(text).calm.split()
    tidy(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ＹＥＳ！", "yes"),
        ("don’t", "dont"),
        ("Arrêt", "arret"),
        ("y\u200bes", "yes"),
        ("yes\ufe0f", "yes"),
        ("Yes\n\nSent from my iPhone", "yes"),
        ("No. Sent from my Verizon, Samsung Galaxy smartphone", "no"),
        ("Sí. Enviado desde mi iPhone", "si"),
        ("Yes\nGet Outlook for iOS", "yes"),
        ("> Reply YES or NO\nno", "no"),
        (">", ""),
    ],
)
def test_dress_makes_no_difference(text: str, words: str) -> None:
    assert normalise(text) == words


@pytest.mark.parametrize(
    "text",
    ["I sent from my own budget a coach to each site", "We get outlook mail", "> quoted only"],
)
def test_words_of_an_answer_are_no_signature(text: str) -> None:
    assert tidy(text) == text


def test_a_long_text_that_arrived_as_base64_is_decoded() -> None:
    words = "We have a coach who meets every new physician once a month, and a mentor — monthly."
    packed = base64.b64encode(words.encode()).decode()
    assert tidy(packed) == words
    assert tidy(packed[:60] + "\r\n" + packed[60:]) == words


@pytest.mark.parametrize(
    "text",
    ["Yes", "Staffing", "a" * 40, "Supercalifragilisticexpialidociousness12", "x" * 44,
     "A" * 44, "yes yes yes yes yes yes yes yes yes yes yes yes"],
)  # fmt: skip
def test_words_are_never_taken_for_base64(text: str) -> None:
    assert tidy(text) == text


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs"]), max_size=60))
def test_only_letters_that_decode_to_a_sentence_are_decoded(text: str) -> None:
    words = tidy(text)
    assert len(words) <= len(text) * 20
