"""Make and change programs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import IntegrityError

from service.actions.scheduling import refuse_less_than_planned
from service.domain.consent import OptOutMode
from service.domain.frequency import LEAST_MONTHLY_TEXTS
from service.domain.keywords import SLUG, Keyword
from service.domain.polls import Question, QuestionKind, yes_no_choices
from service.domain.programs import Program
from service.domain.quiet_hours import parse_quiet_hours
from service.domain.reading import Asked, Expected, Label, read
from service.domain.reading.reserved import reserved_meaning
from service.domain.segments import measure
from service.domain.slots import parse_slot
from service.errors import InvalidInputError, NotFoundError, RefusedError
from service.runtime import Runtime
from service.store import tables
from service.store.programs import program_by_slug, replace_keywords


@dataclass(frozen=True, slots=True)
class ProgramChanges:
    """What to set; ``None`` leaves a value as it is.

    Attributes:
        name: the brand that opens every text.
        quiet_hours: such as ``10:00-18:00``, or ``none``.
    """

    name: str | None = None
    organization: str | None = None
    respondents: str | None = None
    sender: str | None = None
    messaging_service_sid: str | None = None
    opt_out_mode: OptOutMode | None = None
    help_contact: str | None = None
    timezone: str | None = None
    slot: str | None = None
    slot_set_by: str | None = None
    monthly_texts: int | None = None
    send_rate: int | None = None
    quiet_hours: str | None = None

    def given(self) -> dict[str, Any]:
        """The values to set, by column."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


_SENDER = re.compile(r"\d{5,6}|\+\d{10,15}")
_DEFAULTS: dict[str, Any] = {
    "respondents": "respondents",
    "timezone": "America/Denver",
    "quiet_hours": "10:00-18:00",
}


async def set_program(
    runtime: Runtime,
    slug: str,
    changes: ProgramChanges,
    keywords: Sequence[Keyword] = (),
    *,
    allow_quiet_hours_none: bool = False,
) -> Program:
    """Make the program ``slug``, or change it.

    Args:
        keywords: the join words from now on; none leaves them as they are.
        allow_quiet_hours_none: only where no text can really leave (the API is not Twilio's).

    Raises:
        InvalidInputError: a value is wrong, or missing for a new program.
        RefusedError: the sender belongs to another program, or a poll comes to more texts a month.
    """
    values = changes.given()
    _check(slug, values, keywords)
    if values.get("quiet_hours") == "none" and not allow_quiet_hours_none:
        raise RefusedError("quiet hours 'none' is refused while texts go out through Twilio")
    try:
        async with runtime.sessions.begin() as session:
            row = await program_by_slug(session, slug)
            if row is None:
                row = _new(runtime, slug, values, keywords)
                session.add(row)
            for name, value in values.items():
                setattr(row, name, value)
            _check_slot(row, values)
            await session.flush()
            if "monthly_texts" in values and row.id is not None:
                await refuse_less_than_planned(session, row.id, values["monthly_texts"])
            if keywords and row.id is not None:
                await replace_keywords(session, row.id, keywords)
    except IntegrityError as error:
        raise RefusedError("this sender belongs to another program already") from error
    runtime.catalog.forget()
    return await find_program(runtime, slug)


def _new(
    runtime: Runtime, slug: str, values: dict[str, Any], keywords: Sequence[Keyword]
) -> tables.Program:
    for required in ("name", "sender", "help_contact"):
        if required not in values:
            raise InvalidInputError(f"a new program needs {_option(required)}")
    if not keywords:
        raise InvalidInputError("a new program needs --keyword")
    organization = values.get("organization", values["name"])
    complete = {**_DEFAULTS, **values, "organization": organization}
    return tables.Program(slug=slug, created_at=runtime.clock.now(), **complete)


def _check(slug: str, values: dict[str, Any], keywords: Sequence[Keyword]) -> None:
    if not SLUG.fullmatch(slug):
        raise InvalidInputError(f"program {slug!r}: only a-z, 0-9 and single hyphens")
    parse_quiet_hours(values.get("quiet_hours", "none"))
    _check_timezone(values.get("timezone", "UTC"))
    if values.get("send_rate", 1) < 1:
        raise InvalidInputError("--send-rate must be at least 1")
    if values.get("monthly_texts", LEAST_MONTHLY_TEXTS) < LEAST_MONTHLY_TEXTS:
        raise InvalidInputError(
            f"--monthly-texts must be at least {LEAST_MONTHLY_TEXTS}: a weekly question and its "
            "acknowledgement, times five weeks"
        )
    _check_texts(values)
    for word in keywords:
        _check_keyword(word.word)


def _check_texts(values: dict[str, Any]) -> None:
    for name in ("name", "organization", "respondents", "help_contact"):
        if not values.get(name, "given").strip():
            raise InvalidInputError(f"{_option(name)} must not be empty")
    if not _SENDER.fullmatch(values.get("sender", "33550")):
        raise InvalidInputError(
            "--sender must be as Twilio writes it in To: 33550 for a short code, +13035550100 for "
            "a long one"
        )
    for name in ("name", "help_contact"):
        offenders = measure(values.get(name, "")).offenders
        if offenders:
            raise InvalidInputError(
                f"{_option(name)}: {offenders[0]!r} would double the cost of every text"
            )


def _check_slot(row: tables.Program, values: dict[str, Any]) -> None:
    """A slot is stored in full, and hours that would make it a silent one are refused."""
    if row.slot is not None and {"slot", "quiet_hours"} & values.keys():
        slot = parse_slot(row.slot, row.timezone)
        slot.check(parse_quiet_hours(row.quiet_hours))
        row.slot = str(slot)


def _check_keyword(word: str) -> None:
    meaning = reserved_meaning(word, frozenset())
    if meaning:
        raise InvalidInputError(f"keyword {word}: it already means {meaning}")
    if _is_vote(word):
        raise InvalidInputError(f"keyword {word}: it would swallow answers to yes/no polls")


def _is_vote(word: str) -> bool:
    question = Question(1, QuestionKind.YES_NO, "", yes_no_choices())
    return read(word, Asked(questions=(Expected(question),))).label is Label.ANSWER


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(f"there is no time zone {name!r}") from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


async def find_program(runtime: Runtime, slug: str | None) -> Program:
    """The program ``slug``; where only one exists, ``None`` means that one.

    Raises:
        NotFoundError: there is none, or none was named and there are several.
    """
    async with runtime.sessions() as session:
        programs = (await runtime.catalog.programs(session)).all
    if slug is None and len(programs) == 1:
        return programs[0]
    if slug is None:
        if not programs:
            raise NotFoundError("there is no program yet; make one with: pollwire program set")
        names = ", ".join(program.slug for program in programs)
        raise NotFoundError(f"there are several programs; name one with --program: {names}")
    for program in programs:
        if program.slug == slug:
            return program
    raise NotFoundError(f"there is no program {slug!r}")
