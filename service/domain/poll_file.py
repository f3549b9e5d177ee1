"""Reading a poll file: a mapping (from YAML) to questions, every mistake named by its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from service.domain.keywords import SLUG
from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.reading.reserved import reserved_meaning
from service.errors import InvalidInputError

MAX_QUESTIONS = 3
MAX_CHOICES = 8
MAX_QUESTION_CHARACTERS = 1000
MAX_REMINDER_HOURS = 24 * 14


@dataclass(frozen=True, slots=True)
class PollDraft:
    """A poll as written by staff, checked but not stored.

    Attributes:
        reminder_after_hours: counted from the opening; ``None`` for no reminder.
        results_text: whether who answered is sent the result, at ``results_at``.
    """

    slug: str
    title: str
    questions: tuple[Question, ...]
    program: str | None = None
    audience: Mapping[str, str] = field(default_factory=dict)
    results_at: datetime | None = None
    reminder_after_hours: int | None = None
    results_text: bool = False


def _fail(place: str, sentence: str) -> InvalidInputError:
    return InvalidInputError(f"{place}: {sentence}")


def _mapping(
    value: Any, place: str, known: set[str], *, such_as: str = "slug: …"
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _fail(place, f"expected fields such as '{such_as}'")
    unknown = sorted(str(key) for key in value if key not in known)
    if unknown:
        raise _fail(place, f"unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return value


def _text(fields: Mapping[str, Any], name: str, place: str, *, longest: int) -> str:
    value = fields.get(name)
    if value is None:
        raise _fail(place, f"{name!r} is missing")
    if not isinstance(value, str) or not value.strip():
        raise _fail(f"{place}.{name}", "must be a text that is not empty")
    if len(value) > longest:
        raise _fail(f"{place}.{name}", f"has {len(value)} characters; at most {longest}")
    return " ".join(value.split())


def _label(value: Any, place: str) -> str:
    # YAML reads a bare yes/no as a truth value; people mean the word.
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise _fail(place, "must be a text that is not empty")
    return " ".join(value.split())


def _labels(value: Any, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(_label(item, f"{place}[{index}]") for index, item in enumerate(items))


def _choice(value: Any, place: str, position: int, reserved: Callable[[str], str | None]) -> Choice:
    if not isinstance(value, Mapping):
        value = {"label": value}
    fields = _mapping(value, place, {"label", "aliases", "applicable"})
    label = _label(fields.get("label"), f"{place}.label")
    aliases = _labels(fields.get("aliases"), f"{place}.aliases")
    applicable = fields.get("applicable", True)
    if not isinstance(applicable, bool):
        raise _fail(f"{place}.applicable", "must be true or false")
    for word in (label, *aliases):
        meaning = reserved(word)
        if meaning:
            raise _fail(place, f"{word!r} means {meaning}, so nobody could choose it")
    return Choice(chr(ord("A") + position), label, aliases, applicable)


def _choices(
    fields: Mapping[str, Any], kind: QuestionKind, place: str, keywords: frozenset[str]
) -> tuple[Choice, ...]:
    listed = fields.get("choices")
    if kind in (QuestionKind.NUMBER, QuestionKind.OPEN):
        if listed is not None:
            raise _fail(f"{place}.choices", f"a question of kind {kind.value} takes none")
        return ()
    if listed is None:
        if kind is QuestionKind.YES_NO:
            return yes_no_choices()
        raise _fail(place, "'choices' is missing")
    if not isinstance(listed, list) or not 2 <= len(listed) <= MAX_CHOICES:
        raise _fail(f"{place}.choices", f"must be a list of 2 to {MAX_CHOICES}")

    def reserved(word: str) -> str | None:
        return reserved_meaning(word, keywords)

    choices = tuple(
        _choice(item, f"{place}.choices[{index}]", index, reserved)
        for index, item in enumerate(listed)
    )
    _refuse_twins(choices, f"{place}.choices")
    if kind is QuestionKind.YES_NO and [c.label.casefold() for c in choices[:2]] != ["yes", "no"]:
        raise _fail(f"{place}.choices", "a yes/no ballot starts with yes, no")
    return choices


def _refuse_twins(choices: tuple[Choice, ...], place: str) -> None:
    seen: set[str] = set()
    for choice in choices:
        for word in (choice.label, *choice.aliases):
            if word.casefold() in seen:
                raise _fail(place, f"{word!r} stands twice")
            seen.add(word.casefold())


def _bound(fields: Mapping[str, Any], name: str, place: str) -> Decimal | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise _fail(f"{place}.{name}", "must be a number") from None
    if not number.is_finite():
        raise _fail(f"{place}.{name}", "must be a number")
    return number


def _question(value: Any, position: int, keywords: frozenset[str]) -> Question:
    place = f"questions[{position - 1}]"
    known = {"text", "kind", "when", "choices", "min", "max", "unit"}
    fields = _mapping(value, place, known)
    try:
        kind = QuestionKind(fields.get("kind", "yes_no"))
    except ValueError:
        kinds = ", ".join(kind.value for kind in QuestionKind)
        raise _fail(f"{place}.kind", f"{fields['kind']!r} is not one of {kinds}") from None
    minimum, maximum = _bound(fields, "min", place), _bound(fields, "max", place)
    if minimum is not None and maximum is not None and minimum >= maximum:
        raise _fail(place, "'min' must be below 'max'")
    return Question(
        position=position,
        kind=kind,
        text=_text(fields, "text", place, longest=MAX_QUESTION_CHARACTERS),
        choices=_choices(fields, kind, place, keywords),
        when=_labels(fields.get("when"), f"{place}.when"),
        minimum=minimum,
        maximum=maximum,
        unit=_label(fields["unit"], f"{place}.unit") if "unit" in fields else "",
    )


def _instant(value: Any, place: str) -> datetime | None:
    if value is None:
        return None
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise _fail(place, f"{value!r} is not an ISO time") from None
    if instant.tzinfo is None:
        raise _fail(place, "needs its zone, such as 2026-03-05T09:00-07:00")
    return instant.astimezone(UTC)


def _reminder_hours(value: Any) -> int | None:
    if value is None:
        return None
    hours = _mapping(value, "poll.reminder", {"after_hours"}, such_as="after_hours: 24").get(
        "after_hours"
    )
    if isinstance(hours, bool) or not isinstance(hours, int):
        raise _fail("poll.reminder.after_hours", "must be a whole number of hours, such as 24")
    if not 1 <= hours <= MAX_REMINDER_HOURS:
        raise _fail("poll.reminder.after_hours", f"must be from 1 to {MAX_REMINDER_HOURS}")
    return hours


def _results_text(value: Any, results_at: datetime | None) -> bool:
    if value is not None and not isinstance(value, bool):
        raise _fail("poll.results_text", "must be true or false")
    if value and results_at is None:
        raise _fail("poll.results_text", "needs 'results_at', the time to send it")
    return bool(value)


def _check_conditions(questions: tuple[Question, ...]) -> None:
    if questions[0].when:
        raise _fail("questions[0].when", "the first question is asked of everybody")
    known: set[str] = set()
    for question in questions:
        for label in question.when:
            if label.casefold() not in known:
                place = f"questions[{question.position - 1}].when"
                raise _fail(place, f"{label!r} is no choice of an earlier question")
        known.update(choice.label.casefold() for choice in question.choices)


def read_poll(content: Any, *, keywords: frozenset[str] = frozenset()) -> PollDraft:
    """A poll file's content, checked.

    Args:
        content: what the YAML parser gave.
        keywords: the program's join words, which no choice may mean.

    Raises:
        InvalidInputError: naming the place, such as ``questions[1].when``.
    """
    known = {"slug", "title", "questions", "program", "audience", "results_at"}
    known |= {"reminder", "results_text"}
    fields = _mapping(content, "poll", known)
    slug = _text(fields, "slug", "poll", longest=80)
    if not SLUG.fullmatch(slug):
        raise _fail("poll.slug", "only a-z, 0-9 and single hyphens, such as staffing-2026-03-03")
    listed = fields.get("questions")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_QUESTIONS:
        raise _fail("poll.questions", f"must be a list of 1 to {MAX_QUESTIONS}")
    questions = tuple(_question(item, index, keywords) for index, item in enumerate(listed, 1))
    _check_conditions(questions)
    audience = fields.get("audience") or {}
    if not isinstance(audience, Mapping):
        raise _fail("poll.audience", "expected attributes such as 'specialty: cardiology'")
    program = fields.get("program")
    results_at = _instant(fields.get("results_at"), "poll.results_at")
    return PollDraft(
        slug=slug,
        title=_text(fields, "title", "poll", longest=200),
        questions=questions,
        program=None if program is None else _label(program, "poll.program"),
        audience={str(k): _label(v, f"poll.audience.{k}") for k, v in audience.items()},
        results_at=results_at,
        reminder_after_hours=_reminder_hours(fields.get("reminder")),
        results_text=_results_text(fields.get("results_text"), results_at),
    )
