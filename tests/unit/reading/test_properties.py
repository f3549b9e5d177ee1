"""What holds for every text."""

import time
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.polls import Choice, Question, QuestionKind
from service.domain.reading import Asked, Expected, Label, Reading, read
from service.domain.reading.reserved import reserved_meaning
from tests.unit.reading.reading_helpers import (
    asked,
    ballot,
    choice,
    number,
    open_question,
    yes_no,
)
from tests.unit.reading.test_examples import ROWS
from tests.unit.reading.test_optouts import LOOK_ALIKES, OPT_OUTS
from tests.unit.reading.test_yes_no import NEITHER, NO, YES, rows

QUESTIONS = [yes_no(), yes_no("N/A", "Unsure"), choice(), number("days", 0, 90), open_question()]
TEXTS = sorted(
    {row["text"] for row in ROWS}
    | {*LOOK_ALIKES, *rows(YES), *rows(NO), *rows(NEITHER)}
    | {text for texts in OPT_OUTS.values() for text in texts.split("|")}
    | {"STAT", "help", "start", "thanks", "This is spam", "👍 to “Acme Stat: Ready?”", "12 days"}
)
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
any_question = st.sampled_from(QUESTIONS)
any_text = st.sampled_from(TEXTS)


def decision(text: str, question: Question) -> tuple[Label, str, str | None, Decimal | None]:
    found = read(text, asked(question))
    return found.label, found.rule, found.choice, found.number


@given(text=st.text(), question=any_question, whole=st.booleans(), pending=st.booleans())
def test_reading_never_raises(text: str, question: Question, whole: bool, pending: bool) -> None:
    expected = Asked("Acme Stat", frozenset({"STAT"}), pending, (Expected(question, whole),))
    assert isinstance(read(text, expected), Reading)


@given(parts=st.lists(st.one_of(any_text, st.text(max_size=5)), max_size=4), question=any_question)
def test_reading_never_raises_on_scraps_of_real_texts(parts: list[str], question: Question) -> None:
    for between in ("", " ", "\n", " - ", "…"):
        assert isinstance(read(between.join(parts), asked(question)), Reading)


@given(text=any_text, question=any_question)
def test_case_changes_nothing(text: str, question: Question) -> None:
    # A letter that has no single upper case ("ß") is another text.
    assume(text.upper().lower() == text.lower())
    before = decision(text, question)
    assert decision(text.upper(), question) == before
    assert decision(text.lower(), question) == before


@given(
    text=any_text, question=any_question, space=st.sampled_from([" ", "\n", "\t", "\u00a0", "  "])
)
def test_space_around_changes_nothing(text: str, question: Question, space: str) -> None:
    assert decision(space + text + space, question) == decision(text, question)


@given(
    text=any_text,
    question=any_question,
    mark=st.sampled_from([".", "!", "!!", "…", "...", " .", ","]),
)
def test_trailing_punctuation_changes_nothing(text: str, question: Question, mark: str) -> None:
    # After a question mark more marks are the same question; none follow an empty text.
    assume(text.strip(" .,!?") and not text.rstrip(" .,!").endswith("?"))
    assert decision(text + mark, question) == decision(text, question)


@given(text=any_text, question=any_question)
def test_curly_quotes_change_nothing(text: str, question: Question) -> None:
    curly = text.replace("'", "’").replace('"', "”")
    straight = text.replace("’", "'").replace("“", '"').replace("”", '"')
    assert decision(curly, question) == decision(straight, question)


@given(text=any_text, question=any_question)
def test_full_width_letters_change_nothing(text: str, question: Question) -> None:
    # What a reaction quotes stands in quotation marks, which have no full-width form of their own;
    # ">" and base64 are marks of programs, and no person's keyboard writes them wide.
    assume(text.isascii() and '"' not in text and ">" not in text and len(text) < 60)
    assert decision(text.translate(FULL_WIDTH), question) == decision(text, question)


plain = st.text(alphabet="abcdeABN notyesif'-&/.,+?!123%", min_size=1, max_size=12)
SCRAPS = [
    "stop the ", "do not ", "i do not really ", "no ", "yes, ", "a ", "12 ", ".", "stop. ", "😀",
    "😀 ", "“", "Liked ", "not not ", "hi this is ", "1,", "a,", "twenty ", "> x\n", "sent from ",
    "no more of the ", "don't want to ", "honestly just ", "it is ", "k", "'", "s t ", "\n", "- ",
]  # fmt: skip


@pytest.mark.parametrize("scrap", SCRAPS)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.kind)
def test_no_text_takes_long_to_read(scrap: str, question: Question) -> None:
    longest = (scrap * 1600)[:1600]
    read(longest, asked(question))
    started = time.process_time()
    read(longest, asked(question))
    assert time.process_time() - started < 0.25


label = (
    st.one_of(st.text(min_size=1, max_size=30), plain)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


@given(labels=st.lists(label, min_size=2, max_size=8, unique_by=lambda text: text.casefold()))
def test_any_choice_label_read_back_gives_that_choice(labels: list[str]) -> None:
    assume(not any(reserved_meaning(text, frozenset({"STAT"})) for text in labels))
    tidied = {read(text, asked(open_question())).text or text for text in labels}
    question = Question(1, QuestionKind.CHOICE, "", ballot(*labels))
    assume(len({text.casefold() for text in tidied}) == len(labels))
    assume(all(_names_itself(text) for text in labels))
    for text in labels:
        assert read(text, asked(question)).choice == text


def _names_itself(text: str) -> bool:
    """Whether anything is left of the label once invisible characters and signatures are gone."""
    alone = Question(1, QuestionKind.CHOICE, "", (Choice("A", text),))
    return read(text, asked(alone)).choice == text


@pytest.mark.parametrize(
    "labels",
    [("A", "B", "AB"), ("C++", "C", "C#"), ("1", "2", "3+"), ("2", "1"), ("B", "A"), ("+", "-"),
     ("Yes", "No", "Not sure"), ("Very satisfied", "Satisfied", "Dissatisfied"), ("👍", "👎"),
     ("1-3", "4-6", "7+"), ("N/A", "None", "No change"), ("Thanks", "Ok"), ("I", "II", "III")],
)  # fmt: skip
def test_awkward_labels_read_back_too(labels: tuple[str, ...]) -> None:
    for text in labels:
        for typed in (text, text.lower(), f" {text} "):
            assert read(typed, asked(choice(*labels))).choice == text


@given(text=any_text)
def test_the_same_text_reads_the_same_twice(text: str) -> None:
    assert read(text, asked(yes_no())) == read(text, asked(yes_no()))
