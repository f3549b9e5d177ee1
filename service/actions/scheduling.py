"""What speaks against a poll's plan and times, told before anybody is texted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.frequency import texts_a_month, texts_a_poll
from service.domain.polls import Question
from service.domain.programs import Program
from service.domain.quiet_hours import candidate_zones
from service.errors import InvalidInputError, RefusedError
from service.store import tables
from service.store.catalog import load_questions
from service.store.polls import audience_places, count_shared_audience, live_polls


def refuse_more_than_stated(
    program: Program, poll: tables.Poll, questions: Sequence[Question]
) -> None:
    """A plan that comes to more texts a month than people were told is refused.

    Raises:
        RefusedError: naming the number to state.
    """
    texts = _texts_of(poll, questions)
    needed = texts_a_month(texts)
    if needed > program.monthly_texts:
        raise RefusedError(
            f"poll {poll.slug!r} comes to {texts} texts a person, {needed} in a month of five "
            f"weeks, but the program states {program.monthly_texts}: shorten it, or state more "
            f"with pollwire program set --program {program.slug} --monthly-texts {needed}"
        )


async def refuse_less_than_planned(session: AsyncSession, program_id: int, stated: int) -> None:
    """A program's stated number must hold what its scheduled and open polls come to.

    Raises:
        RefusedError: naming the poll.
    """
    polls = await live_polls(session, program_id)
    if not polls:
        return
    questions = await load_questions(session, [poll.id for poll in polls if poll.id])
    for poll in polls:
        needed = texts_a_month(_texts_of(poll, questions[poll.id or 0]))
        if needed > stated:
            raise RefusedError(
                f"--monthly-texts {stated} is less than the {needed} that poll {poll.slug!r} "
                "comes to"
            )


def _texts_of(poll: tables.Poll, questions: Sequence[Question]) -> int:
    reminder = poll.reminder_after_hours is not None
    return texts_a_poll(tuple(questions), reminder=reminder, results=poll.results_text)


async def refuse_before_the_last_hours(
    session: AsyncSession,
    program: Program,
    poll: tables.Poll,
    opens_at: datetime,
    closes_at: datetime,
) -> None:
    """A poll must not close before the hours of everybody it is for have begun.

    Whoever may be texted at no hour at all does not count here; the funnel names them.

    Raises:
        RefusedError: naming how many people and from when on all have been reached.
    """
    if not program.quiet_hours.enforced:
        return
    people, latest = 0, closes_at
    for place in await audience_places(session, program.identifier, poll.audience):
        zones = candidate_zones(place.number, given=place.timezone, fallback=program.timezone)
        try:
            allowed = program.quiet_hours.allowed_at(zones, opens_at)
        except InvalidInputError:
            continue
        if allowed >= closes_at:
            people += place.people
            latest = max(latest, allowed)
    if people:
        raise RefusedError(
            f"poll {poll.slug!r} would close before {people:,} of its people may be texted "
            f"({program.quiet_hours} where they live, Monday to Friday, no federal holidays): "
            f"their hours begin by {latest:%Y-%m-%d %H:%M} UTC"
        )


async def refuse_overlap(
    session: AsyncSession, poll: tables.Poll, opens_at: datetime, closes_at: datetime
) -> None:
    """Nobody is asked by two polls at a time: an answer would belong to the one asked last.

    Polls with different audiences may be open together.

    Raises:
        RefusedError: naming the other poll and how many people are in both.
    """
    for other in await live_polls(session, poll.program_id):
        begins, ends = other.opened_at or other.opens_at, other.closes_at
        if other.id == poll.id or begins is None or ends is None:
            continue
        if begins < closes_at and opens_at < ends:
            people = await count_shared_audience(
                session, poll.program_id, poll.audience, other.audience
            )
            if people:
                raise RefusedError(
                    f"poll {poll.slug!r} and poll {other.slug!r}, which is {other.state.value} "
                    f"from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC, would ask "
                    f"{people:,} of the same people at one time: choose other times, or close or "
                    f"cancel {other.slug!r}"
                )
