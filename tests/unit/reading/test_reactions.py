"""What a phone writes by itself is neither a vote nor an opt-out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.deliveries import Purpose
from service.domain.polls import Question
from service.domain.programs import Program
from service.domain.reading import Label
from service.domain.wording import LANGUAGES, TEXTS, Saying, render, render_reminder
from tests.unit.reading.reading_helpers import (
    BRAND,
    choice,
    number,
    open_question,
    reading,
    yes_no,
)

SHAPES = [
    "Liked “{}”", "Loved \"{}\"", "Disliked “{}”", "Laughed at “{}”", "Emphasized “{}”",
    "Emphasised “{}”", "Questioned “{}”", "Reacted 👍 to “{}”", "Reacted ❤️ to \"{}\"",
    "Reacted 👍 to {}", "Removed a like from “{}”", "Removed a heart from “{}”",
    "Removed an exclamation mark from “{}”", "👍 to “{}”", "👍🏽 to \"{}\"", "👎 to “{}”",
    "\u200b❤️\u200b to “\u200a{}\u200a”", "😂 to ‘{}’", "👍 removed from “{}”", "Liked {}",
    "Le gustó “{}”", "No le gustó “{}”", "Le encantó “{}”", "Se rió de “{}”",
    "Reaccionó con 👍 a “{}”", "A aimé « {} »", "N’a pas aimé « {} »", "A réagi avec 👍 à « {} »",
    "Gostou de “{}”", "Reagiu com 👍 a “{}”", "Gefällt „{}“", "Ha messo un like a “{}”",
]  # fmt: skip
PROGRAM = Program(
    identifier=1, slug="stat", name=BRAND, organization="Acme", respondents="leaders",
    sender="33550",
    help_contact="800-555-0100 or help@acme.example", keywords={"STAT": "stat"},
)  # fmt: skip
CLOSE = datetime(2026, 3, 5, 22, tzinfo=UTC)
QUESTIONS = [yes_no(), yes_no("N/A"), choice(), number(), open_question()]


def sayings() -> list[Saying]:
    own = [Saying(purpose, choice="yes", link="https://x.example/r", question=yes_no())
           for purpose in TEXTS["en"]]  # fmt: skip
    return own + [Saying(Purpose.ASK, question=question) for question in QUESTIONS]


def texts_we_send() -> list[str]:
    reminders = [
        render_reminder(PROGRAM, question, CLOSE, said_at=CLOSE - timedelta(days=1))
        for question in QUESTIONS
    ]
    return reminders + [
        render(PROGRAM, saying, language) for language in LANGUAGES for saying in sayings()
    ]


@given(
    shape=st.sampled_from(SHAPES),
    sent=st.sampled_from(texts_we_send()),
    question=st.sampled_from(QUESTIONS),
)
def test_a_reaction_to_any_text_we_send_is_only_a_reaction(
    shape: str, sent: str, question: Question
) -> None:
    assert reading(shape.format(sent), question).label is Label.REACTION


def test_there_are_texts_to_react_to() -> None:
    assert len(texts_we_send()) > 20


@pytest.mark.parametrize("text", ["Liked an image", "Loved a photo", "Le gustó una imagen"])
def test_a_reaction_to_a_picture_is_one(text: str) -> None:
    assert reading(text, yes_no()).label is Label.REACTION


@pytest.mark.parametrize("text", ["Liked it", "Loved the program", "👍", "👍 yes"])
def test_liking_in_words_is_no_reaction(text: str) -> None:
    assert reading(text, open_question()).label is not Label.REACTION


@pytest.mark.parametrize(
    "text",
    [
        "I’m driving with Do Not Disturb While Driving turned on. I’ll see your message when I get "
        "where I’m going.",
        "(I’m not receiving notifications. If this is urgent, reply “urgent” to send a "
        "notification through with your original message.)",
        "I'm driving right now.", "Sorry, I can't talk right now.",
        "Automatic reply: Out of office",
        "Hi, I am currently out of the office until Monday", "OOO until 3/5",
        "This is an automated message. This mailbox is not monitored.",
        "This phone number does not accept text messages.", "Estoy conduciendo",
        "Respuesta automática: fuera de la oficina",
    ],
)  # fmt: skip
@pytest.mark.parametrize("question", [yes_no(), open_question()], ids=lambda q: q.kind)
def test_an_automatic_reply_is_stored_and_nothing_more(text: str, question: Question) -> None:
    assert reading(text, question).label is Label.AUTO_REPLY


@pytest.mark.parametrize(
    "text",
    ["We hold a monthly out of office lunch", "Driving time to the clinic", "Leave policy changed"],
)
def test_an_open_answer_with_such_words_is_an_answer(text: str) -> None:
    assert reading(text, open_question()).label is Label.ANSWER
