"""Every text the service itself can send."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.deliveries import Purpose
from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.programs import Program
from service.domain.segments import measure
from service.domain.wording import (
    LANGUAGES,
    STOP_LINE,
    TEXTS,
    Saying,
    answer_line,
    render,
    render_question,
    render_reminder,
)

BRAND = "Acme Stat Physicians"
"""20 characters, the longest brand that the texts are made for."""
HELP_CONTACT = "800-555-0100 or help@acme.example"
LINK = "https://polls.example.org/polls/coaching-2021-03-30"
PROGRAM = Program(
    1,
    "stat",
    BRAND,
    "Acme",
    "leaders",
    "33550",
    keywords={"TOP10": "x"},
    help_contact=HELP_CONTACT,
    monthly_texts=10,
)
EVENING = datetime(2021, 4, 2, 2, tzinfo=UTC)
"""April 1 in Denver."""


def a_vote(*extra: Choice) -> Question:
    return Question(1, QuestionKind.YES_NO, "Coaching?", (*yes_no_choices(), *extra))


def a_choice(*labels: str) -> Question:
    choices = tuple(Choice("ABCDEFGH"[i], label) for i, label in enumerate(labels))
    return Question(1, QuestionKind.CHOICE, "Biggest challenge?", choices)


def a_number(low: int | None = None, high: int | None = None) -> Question:
    return Question(
        1,
        QuestionKind.NUMBER,
        "How many?",
        minimum=None if low is None else Decimal(low),
        maximum=None if high is None else Decimal(high),
    )


FOUR_CHOICES = a_choice("Staffing", "Expenses", "Revenue", "Other")
SAYINGS = [
    *(
        Saying(purpose)
        for purpose in TEXTS["en"]
        if purpose not in (Purpose.CHANGED, Purpose.UNCLEAR, Purpose.LATE, Purpose.CLOSED)
    ),
    Saying(Purpose.CHANGED, choice="no"),
    Saying(Purpose.CHANGED, choice="Administrative burdens"),
    Saying(Purpose.CHANGED, choice="123456.78"),
    Saying(Purpose.UNCLEAR),
    Saying(Purpose.UNCLEAR, question=a_vote()),
    Saying(Purpose.UNCLEAR, question=a_vote(Choice("C", "N/A", applicable=False))),
    Saying(Purpose.UNCLEAR, question=FOUR_CHOICES),
    Saying(Purpose.UNCLEAR, question=a_number(0, 100)),
    Saying(Purpose.UNCLEAR, question=Question(2, QuestionKind.OPEN, "How?")),
    Saying(Purpose.LATE, link=LINK),
    Saying(Purpose.CLOSED),
    Saying(Purpose.CLOSED, results_at=EVENING),
]


def said(purpose: Purpose, language: str = "en") -> str:
    return render(PROGRAM, Saying(purpose), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("saying", SAYINGS, ids=lambda saying: str(saying.purpose))
def test_every_text_is_one_segment_of_gsm_7_and_opens_with_the_brand(
    saying: Saying, language: str
) -> None:
    words = render(PROGRAM, saying, language)
    size = measure(words)
    assert size.offenders == ()
    assert (size.segments, size.units <= 160) == (1, True)
    assert words.startswith(BRAND)
    assert words == " ".join(words.split())
    assert "{" not in words


def test_every_purpose_but_a_question_has_its_text_in_both_languages() -> None:
    assert set(LANGUAGES) == {"en", "es"}
    for texts in TEXTS.values():
        assert set(texts) == set(Purpose) - {Purpose.ASK, Purpose.FOLLOW_UP, Purpose.REMINDER}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Msg&data rates may apply", "Up to 10 msgs/mo", "HELP", "STOP", "800-555-0100"]),
        ("es", ["Pueden aplicar tarifas", "Hasta 10 msjs/mes", "AYUDA", "STOP", "800-555-0100"]),
    ],
)
def test_the_confirmation_names_rates_frequency_help_and_stop(
    language: str, words: list[str]
) -> None:
    text = said(Purpose.CONFIRMATION, language)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Reply YES", "up to 10 msgs/mo", "Msg&data rates may apply", "HELP", "STOP"]),
        ("es", ["Responda SI", "hasta 10 msjs/mes", "Pueden aplicar tarifas", "AYUDA", "STOP"]),
    ],
)
def test_the_double_opt_in_tells_the_same_and_asks_for_a_yes(
    language: str, words: list[str]
) -> None:
    text = said(Purpose.DOUBLE_OPT_IN, language)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_names_the_contact_rates_frequency_and_stop(language: str) -> None:
    text = said(Purpose.HELP, language)
    assert HELP_CONTACT in text
    assert "STOP" in text
    assert "10 ms" in text
    assert ("rates may apply" in text) == (language == "en")


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no more messages"), ("es", "mas mensajes")]
)
def test_the_confirmation_of_an_opt_out_promises_silence_and_promotes_nothing(
    language: str, words: str
) -> None:
    text = said(Purpose.STOPPED, language)
    assert words in text
    assert "http" not in text
    assert not {"join", "start", "unirse"} & set(text.casefold().split())


def test_no_text_says_standard_rates_or_shortens_an_address() -> None:
    for texts in TEXTS.values():
        for text in texts.values():
            assert "standard" not in text.casefold()
            assert "http" not in text


def test_the_words_of_the_handbook_come_out_for_its_program() -> None:
    program = replace(PROGRAM, name="Acme Stat", keywords={"STAT": "stat"})
    assert render(program, Saying(Purpose.STOPPED)) == (
        "Acme Stat: You are unsubscribed and will receive no more messages. "
        "Help: 800-555-0100 or help@acme.example"
    )
    assert render(program, Saying(Purpose.UNKNOWN)) == (
        "Acme Stat: Sorry, we did not understand. Text STAT to join our weekly poll or HELP for "
        "help. Msg&data rates may apply."
    )


def test_the_stated_monthly_number_is_the_programs() -> None:
    program = replace(PROGRAM, monthly_texts=25)
    assert "Up to 25 msgs/mo" in render(program, Saying(Purpose.CONFIRMATION))


def test_an_unknown_language_falls_back_to_english() -> None:
    assert said(Purpose.COUNTED, "fr") == said(Purpose.COUNTED)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        (a_vote(), "Reply YES or NO."),
        (a_vote(Choice("C", "N/A")), "Reply YES, NO or N/A."),
        (a_choice("Costs", "Time"), "Reply A for Costs or B for Time."),
        (a_choice("Costs", "Time", "Staff"), "Reply A for Costs, B for Time or C for Staff."),
        (a_number(), "Reply with a number."),
        (a_number(0), "Reply with a number."),
        (a_number(0, 100), "Reply with a number 0 to 100."),
        (Question(1, QuestionKind.OPEN, "How?"), ""),
    ],
)
def test_the_answer_line_says_how_to_answer(question: Question, line: str) -> None:
    assert answer_line(question) == line


def test_the_answer_line_in_spanish() -> None:
    assert answer_line(a_vote(), "es") == "Responda YES o NO."
    assert answer_line(a_choice("Costos", "Tiempo"), "es") == (
        "Responda A para Costos o B para Tiempo."
    )
    assert answer_line(a_number(0, 9), "es") == "Responda con un numero 0 a 9."


@pytest.mark.parametrize(
    "question", [a_vote(), FOUR_CHOICES, a_number(), Question(1, QuestionKind.OPEN, "How?")]
)
def test_a_poll_is_brand_colon_question_answer_line_and_stop_line(question: Question) -> None:
    text = render_question(PROGRAM, question)
    assert text.startswith(f"{BRAND}: {question.text}")
    assert text.endswith(STOP_LINE)
    assert answer_line(question) in text
    assert text == " ".join(text.split())


@pytest.mark.parametrize("question", [a_vote(), FOUR_CHOICES, a_number()])
def test_a_reminder_asks_again_and_names_the_close(question: Question) -> None:
    text = render_reminder(PROGRAM, question, EVENING, said_at=EVENING - timedelta(days=1))
    assert text == (
        f"{BRAND} reminder: this week's poll closes Thu 8pm MT. {question.text} "
        f"{answer_line(question)} {STOP_LINE}"
    )
    assert measure(text).offenders == ()


def test_the_seeds_question_fits_one_segment() -> None:
    coaching = "Does your organization provide leadership coaching/mentoring to clinicians?"
    vote = replace(a_vote(Choice("C", "N/A", applicable=False)), text=coaching)
    program = replace(PROGRAM, name="Acme Stat")
    assert measure(render_question(program, vote)).segments == 1


@pytest.mark.parametrize("purpose", [Purpose.ASK, Purpose.FOLLOW_UP])
def test_a_question_goes_out_as_it_was_frozen(purpose: Purpose) -> None:
    frozen = replace(a_vote(), rendered="Acme Stat: as approved. Reply STOP to opt out.")
    assert render(PROGRAM, Saying(purpose, question=frozen)) == frozen.rendered
    assert render(PROGRAM, Saying(purpose, question=a_vote())) == render_question(PROGRAM, a_vote())


def test_an_unclear_text_names_the_answers_in_the_members_language() -> None:
    unclear = Saying(Purpose.UNCLEAR, question=a_vote())
    assert render(PROGRAM, unclear).endswith("Please reply YES or NO.")
    assert render(PROGRAM, unclear, "es").endswith("respuesta. Responda YES o NO.")


def test_an_unclear_text_about_an_open_question_ends_without_options() -> None:
    unclear = Saying(Purpose.UNCLEAR, question=Question(2, QuestionKind.OPEN, "How?"))
    assert render(PROGRAM, unclear).endswith("we could not read your answer.")


def test_a_short_label_is_shown_as_it_is_asked_for() -> None:
    assert render(PROGRAM, Saying(Purpose.CHANGED, choice="no")).endswith("answer to NO.")
    assert render(PROGRAM, Saying(Purpose.CHANGED, choice="n/a")).endswith("answer to N/A.")
    assert render(PROGRAM, Saying(Purpose.CHANGED, choice="Costs")).endswith("answer to Costs.")


def test_the_day_of_the_results_is_that_of_the_programs_zone() -> None:
    closed = Saying(Purpose.CLOSED, results_at=EVENING)
    assert render(PROGRAM, closed).endswith("Results on Apr 1.")
    assert render(PROGRAM, closed, "es").endswith("Resultados el 01/04.")
    assert render(replace(PROGRAM, timezone="UTC"), closed).endswith("Results on Apr 2.")
    assert render(PROGRAM, Saying(Purpose.CLOSED)).endswith("Results follow.")


def test_braces_in_a_brand_or_label_stay_braces() -> None:
    program = replace(PROGRAM, name="Acme {x}")
    assert "to {brand}." in render(program, Saying(Purpose.CHANGED, choice="{brand}"))
