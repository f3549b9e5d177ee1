"""Programs and polls as last read, so that the hot path does not load them for every text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.clock import Clock
from service.domain.consent import OptOutMode
from service.domain.polls import Choice, Question, QuestionKind
from service.domain.programs import Program
from service.domain.quiet_hours import parse_quiet_hours

_FRESH_SECONDS = 1.0
_MOST_POLLS = 256


@dataclass(frozen=True, slots=True)
class Programs:
    """All programs of the installation, by each name they are looked up with."""

    all: tuple[Program, ...] = ()
    by_address: Mapping[str, Program] = field(default_factory=dict)

    def addressed(self, to: str, messaging_service_sid: str = "") -> Program | None:
        """The program that an inbound text names."""
        return self.by_address.get(messaging_service_sid) or self.by_address.get(to)

    def by_id(self, identifier: int) -> Program:
        """The program with this key."""
        return next(program for program in self.all if program.identifier == identifier)


class Catalog:
    """A process's copy of what rarely changes.

    Programs are at most a second old; a poll's questions are kept by its version, which every
    change raises.
    """

    def __init__(self) -> None:
        self._programs = Programs()
        self._read_at = float("-inf")
        self._questions: dict[tuple[int, int], tuple[Question, ...]] = {}

    async def programs(self, session: AsyncSession) -> Programs:
        """All programs."""
        if Clock.monotonic_seconds() - self._read_at > _FRESH_SECONDS:
            self._programs = await _load_programs(session)
            self._read_at = Clock.monotonic_seconds()
        return self._programs

    def forget(self) -> None:
        """Read programs anew at the next call."""
        self._read_at = float("-inf")

    async def questions(
        self, session: AsyncSession, polls: Iterable[tuple[int, int]]
    ) -> Mapping[int, tuple[Question, ...]]:
        """Questions by poll key.

        Args:
            polls: pairs of poll key and version.
        """
        wanted = set(polls)
        missing = [pair for pair in wanted if pair not in self._questions]
        if missing:
            if len(self._questions) > _MOST_POLLS:
                self._questions.clear()
            loaded = await load_questions(session, [poll for poll, _ in missing])
            for pair in missing:
                self._questions[pair] = loaded[pair[0]]
        return {poll: self._questions[poll, version] for poll, version in wanted}


_PROGRAMS = text(
    """
    SELECT p.*, coalesce(k.words, '{}') AS words, coalesce(k.campaigns, '{}') AS campaigns
    FROM program p
    LEFT JOIN LATERAL (
        SELECT array_agg(word ORDER BY id) AS words, array_agg(campaign ORDER BY id) AS campaigns
        FROM keyword WHERE program_id = p.id
    ) k ON true
    ORDER BY p.id
    """
)


async def _load_programs(session: AsyncSession) -> Programs:
    programs = [
        Program(
            identifier=row.id,
            slug=row.slug,
            name=row.name,
            organization=row.organization,
            respondents=row.respondents,
            sender=row.sender,
            messaging_service_sid=row.messaging_service_sid,
            keywords=dict(zip(row.words, row.campaigns, strict=True)),
            opt_out_mode=OptOutMode(row.opt_out_mode),
            help_contact=row.help_contact,
            timezone=row.timezone,
            quiet_hours=parse_quiet_hours(row.quiet_hours),
            monthly_texts=row.monthly_texts,
            send_rate=row.send_rate,
            late_limit_minutes=row.late_limit_minutes,
            slot=row.slot or "",
        )
        for row in await session.execute(_PROGRAMS)
    ]
    by_address = {program.sender: program for program in programs}
    by_address |= {p.messaging_service_sid: p for p in programs if p.messaging_service_sid}
    return Programs(tuple(programs), by_address)


_QUESTIONS = text("SELECT * FROM question WHERE poll_id = ANY(:polls) ORDER BY poll_id, position")
_CHOICES = text(
    """
    SELECT c.* FROM choice c JOIN question q ON q.id = c.question_id
    WHERE q.poll_id = ANY(:polls) ORDER BY c.question_id, c.letter
    """
)


async def load_questions(
    session: AsyncSession, polls: list[int]
) -> dict[int, tuple[Question, ...]]:
    """Questions with their ballots, by poll key, read now."""
    ballots: dict[int, list[Choice]] = {}
    for row in await session.execute(_CHOICES, {"polls": polls}):
        choice = Choice(row.letter, row.label, tuple(row.aliases), row.applicable, row.id)
        ballots.setdefault(row.question_id, []).append(choice)
    questions: dict[int, list[Question]] = {poll: [] for poll in polls}
    for row in await session.execute(_QUESTIONS, {"polls": polls}):
        questions[row.poll_id].append(
            Question(
                position=row.position,
                kind=QuestionKind(row.kind),
                text=row.text,
                choices=tuple(ballots.get(row.id, ())),
                when=tuple(row.when_labels),
                minimum=row.minimum,
                maximum=row.maximum,
                unit=row.unit,
                rendered=row.rendered,
                identifier=row.id,
            )
        )
    return {poll: tuple(found) for poll, found in questions.items()}
