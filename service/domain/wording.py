"""Every text the service itself can send, in one table.

Each is GSM-7 and one segment for a brand of 20 characters; a test holds them to it. They open
with the brand. Source: docs/rules.md; the disclosures follow the carriers' short-code rules.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from service.domain.deliveries import Purpose
from service.domain.polls import Question, QuestionKind
from service.domain.programs import Program
from service.domain.spoken_times import spoken_time

STOP_LINE = "Reply STOP to opt out."

_ENGLISH: Mapping[Purpose, str] = {
    Purpose.CONFIRMATION: (
        "{brand} weekly polls: you're in. Up to {monthly} msgs/mo. Msg&data rates may apply. "
        "Help: {short_help} or reply HELP. Reply STOP to cancel."
    ),
    Purpose.DOUBLE_OPT_IN: (
        "{brand}: Reply YES to get weekly polls by text, up to {monthly} msgs/mo. Msg&data rates "
        "may apply. Reply HELP for help, STOP to cancel. Not you? Ignore."
    ),
    Purpose.ALREADY_IN: "{brand}: You are already in. Reply HELP for help, STOP to cancel.",
    Purpose.HELP: (
        "{brand} weekly polls. Help: {help}. Up to {monthly} msgs/mo. Msg&data rates may apply. "
        "Reply STOP to cancel."
    ),
    Purpose.STOPPED: (
        "{brand}: You are unsubscribed and will receive no more messages. Help: {help}"
    ),
    Purpose.UNKNOWN: (
        "{brand}: Sorry, we did not understand. Text {keyword} to join our weekly poll or HELP "
        "for help. Msg&data rates may apply."
    ),
    Purpose.COUNTED: "{brand}: Thank you, your answer is counted.",
    Purpose.CHANGED: "{brand}: Thank you, we have changed your answer to {choice}.",
    Purpose.UNCLEAR: "{brand}: Sorry, we could not read your answer. {options}",
    Purpose.LATE: "{brand}: This poll has closed. The results: {link}",
    Purpose.CLOSED: "{brand}: This poll has closed, so your answer could not be counted. {results}",
    Purpose.RESULTS: "{brand}: The results of the poll you answered: {link}",
    Purpose.ALERT: "{brand} staff: {sentence}",
}
_SPANISH: Mapping[Purpose, str] = {
    Purpose.CONFIRMATION: (
        "{brand}: inscrito en las encuestas semanales. Hasta {monthly} msjs/mes. Pueden aplicar "
        "tarifas. Ayuda: {short_help} o responda AYUDA. STOP para salir."
    ),
    Purpose.DOUBLE_OPT_IN: (
        "{brand}: Responda SI para recibir encuestas semanales, hasta {monthly} msjs/mes. Pueden "
        "aplicar tarifas. AYUDA para ayuda, STOP para salir."
    ),
    Purpose.ALREADY_IN: "{brand}: Usted ya participa. AYUDA para ayuda, STOP para salir.",
    Purpose.HELP: (
        "{brand}: encuestas semanales. Ayuda: {help}. Hasta {monthly} msjs/mes. Pueden aplicar "
        "tarifas. STOP para salir."
    ),
    Purpose.STOPPED: "{brand}: Cancelado. No recibira mas mensajes. Ayuda: {help}",
    Purpose.UNKNOWN: (
        "{brand}: No entendimos. Envie {keyword} para participar o AYUDA para ayuda. Pueden "
        "aplicar tarifas."
    ),
    Purpose.COUNTED: "{brand}: Gracias, su respuesta fue contada.",
    Purpose.CHANGED: "{brand}: Gracias, cambiamos su respuesta a {choice}.",
    Purpose.UNCLEAR: "{brand}: No pudimos leer su respuesta. {options}",
    Purpose.LATE: "{brand}: La encuesta ya cerro. Los resultados: {link}",
    Purpose.CLOSED: "{brand}: La encuesta ya cerro y su respuesta no se pudo contar. {results}",
    Purpose.RESULTS: "{brand}: Los resultados de su encuesta: {link}",
    Purpose.ALERT: "{brand}, personal: {sentence}",
}
TEXTS: Mapping[str, Mapping[Purpose, str]] = {"en": _ENGLISH, "es": _SPANISH}
LANGUAGES = tuple(TEXTS)

_ANSWER_LINES = {
    "en": {"reply": "Reply", "or": "or", "for": "for", "number": "with a number", "to": "to"},
    "es": {"reply": "Responda", "or": "o", "for": "para", "number": "con un numero", "to": "a"},
}


class Saying(NamedTuple):
    """One text to send: what for, and what fills its blanks.

    Attributes:
        question: the question of an ``ask`` or ``follow_up``, or the one an ``unclear`` is about.
        sentence: what an ``alert`` says.
    """

    purpose: Purpose
    choice: str = ""
    link: str = ""
    results_at: datetime | None = None
    question: Question | None = None
    sentence: str = ""


def _listed(items: list[str], conjunction: str) -> str:
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def answer_line(question: Question, language: str = "en") -> str:
    """How to answer, such as ``Reply YES or NO.``; empty for an open question.

    >>> from service.domain.polls import yes_no_choices
    >>> answer_line(Question(1, QuestionKind.YES_NO, "Ready?", yes_no_choices()))
    'Reply YES or NO.'
    """
    line = _ANSWER_LINES[language]
    match question.kind:
        case QuestionKind.OPEN:
            return ""
        case QuestionKind.NUMBER:
            low, high = question.minimum, question.maximum
            bounds = "" if low is None or high is None else f" {low} {line['to']} {high}"
            return f"{line['reply']} {line['number']}{bounds}."
        case QuestionKind.YES_NO:
            labels = [choice.label.upper() for choice in question.choices]
            return f"{line['reply']} {_listed(labels, line['or'])}."
        case QuestionKind.CHOICE:
            marks = [f"{c.letter} {line['for']} {c.label}" for c in question.choices]
            return f"{line['reply']} {_listed(marks, line['or'])}."


def _options(question: Question | None, language: str) -> str:
    line = answer_line(question, language) if question else ""
    return line.replace("Reply", "Please reply", 1) if language == "en" else line


def render_question(program: Program, question: Question) -> str:
    """A question as it is sent: brand, colon, question, answer line, STOP line."""
    parts = (question.text, answer_line(question), STOP_LINE)
    return f"{program.name}: {' '.join(part for part in parts if part)}"


def render_reminder(
    program: Program, question: Question, closes_at: datetime, *, said_at: datetime
) -> str:
    """A question asked once more, with the time it closes in the program's zone.

    Args:
        said_at: when it is due to be sent.
    """
    closing = spoken_time(closes_at, program.timezone, said_at=said_at)
    parts = (question.text, answer_line(question), STOP_LINE)
    opening = f"{program.name} reminder: this week's poll closes {closing}."
    return f"{opening} {' '.join(part for part in parts if part)}"


def call_to_action(program: Program) -> str:
    """What a page that invites to join must say; links to the terms and the privacy notice follow.

    Source: the carriers' short-code rules: program, description, frequency, rates, HELP, STOP.
    """
    return (
        f"Text {program.keyword} to {program.sender} to join {program.name}, a weekly one-question "
        f"poll. 1 poll/week plus replies, up to {program.monthly_texts} msgs/month. Message and "
        f"data rates may apply. Text HELP to {program.sender} for help, STOP to cancel."
    )


def _results_sentence(results_at: datetime | None, timezone: str, language: str) -> str:
    if results_at is None:
        return "Results follow." if language == "en" else "Pronto los resultados."
    results_at = results_at.astimezone(ZoneInfo(timezone))
    day = f"{results_at:%b} {results_at.day}" if language == "en" else f"{results_at:%d/%m}"
    return f"Results on {day}." if language == "en" else f"Resultados el {day}."


def render(program: Program, saying: Saying, language: str = "en") -> str:
    """The words of ``saying`` for this program.

    Args:
        language: ``en`` or ``es``; another falls back to English.
    """
    if saying.question is not None and saying.purpose in (Purpose.ASK, Purpose.FOLLOW_UP):
        return saying.question.rendered or render_question(program, saying.question)
    language = language if language in TEXTS else "en"
    words = TEXTS[language][saying.purpose].format(
        brand=program.name,
        monthly=program.monthly_texts,
        help=program.help_contact,
        short_help=program.help_contact.split(" or ")[0],
        keyword=program.keyword,
        choice=saying.choice.upper() if len(saying.choice) <= len("yes") else saying.choice,
        options=_options(saying.question, language),
        link=saying.link,
        sentence=saying.sentence,
        results=_results_sentence(saying.results_at, program.timezone, language),
    )
    return words.rstrip()
