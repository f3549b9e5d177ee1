"""A poll's life: create, schedule, open, pause, resume, close, cancel, publish."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.programs import find_program
from service.actions.results import read_results
from service.domain.poll_file import read_poll
from service.domain.polls import TRANSITIONS, PollState
from service.domain.segments import measure
from service.domain.wording import render_question
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import jobs, tables
from service.store.catalog import load_questions
from service.store.deliveries import cancel_waiting
from service.store.polls import (
    add_poll,
    count_audience,
    find_poll,
    freeze_texts,
    list_polls,
    newest_subscriber_id,
    poll_by_id,
    publications,
)

LONGEST_TEXT = 1600
OPEN_JOB, CLOSE_JOB, FAN_OUT_JOB = "open_poll", "close_poll", "fan_out"


async def create_poll(runtime: Runtime, content: Any, *, program: str | None, actor: str) -> str:
    """Store a poll file's content as a draft; gives its slug.

    Args:
        program: slug of the program; the file's own wins.

    Raises:
        InvalidInputError: naming the place in the file.
        RefusedError: the slug is taken.
    """
    named = content.get("program") if isinstance(content, dict) else None
    owner = await find_program(runtime, str(named) if named else program)
    draft = read_poll(content, keywords=frozenset(owner.keywords))
    for question in draft.questions:
        rendered = render_question(owner, question)
        if len(rendered) > LONGEST_TEXT:
            raise RefusedError(
                f"questions[{question.position - 1}]: the whole text has {len(rendered)} "
                f"characters; at most {LONGEST_TEXT}"
            )
    poll = tables.Poll(
        program_id=owner.identifier,
        slug=draft.slug,
        title=draft.title,
        audience=dict(draft.audience),
        results_at=draft.results_at,
        created_at=runtime.clock.now(),
        created_by=actor,
    )
    try:
        async with runtime.sessions.begin() as session:
            await add_poll(session, poll, draft)
    except IntegrityError as error:
        raise RefusedError(f"there is a poll {draft.slug!r} already") from error
    return draft.slug


async def schedule_poll(
    runtime: Runtime, slug: str, *, opens_at: datetime, closes_at: datetime
) -> None:
    """Fix a draft's times and freeze its texts; it opens and closes by itself.

    Raises:
        RefusedError: the times are in the wrong order or past, or the poll is no draft.
    """
    now = runtime.clock.now()
    if closes_at <= opens_at:
        raise RefusedError(f"poll {slug!r} would close before it opens")
    if opens_at < now - timedelta(minutes=1):
        raise RefusedError(f"poll {slug!r} would open in the past ({opens_at:%Y-%m-%d %H:%M} UTC)")
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        _move(poll, PollState.SCHEDULED)
        poll.opens_at, poll.closes_at = opens_at, closes_at
        programs = await runtime.catalog.programs(session)
        owner = programs.by_id(poll.program_id)
        questions = (await load_questions(session, [_key(poll)]))[_key(poll)]
        await freeze_texts(
            session, poll, {q.position: render_question(owner, q) for q in questions}
        )
        key = _key(poll)
        await _plan(session, OPEN_JOB, key, opens_at, now)
        await _plan(session, CLOSE_JOB, key, closes_at, now)


async def open_when_due(runtime: Runtime, poll_id: int) -> None:
    """Open a scheduled poll, unless it is too late for that: then staff are asked."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await poll_by_id(session, poll_id)
        if poll.state is not PollState.SCHEDULED or poll.opens_at is None:
            return
        programs = await runtime.catalog.programs(session)
        limit = timedelta(minutes=programs.by_id(poll.program_id).late_limit_minutes)
        if now > poll.opens_at + limit:
            poll.late = True
            return
        await _open(session, poll, now)


async def open_poll(runtime: Runtime, slug: str) -> None:
    """Open a scheduled poll now, because a person says so."""
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        await _open(session, poll, runtime.clock.now())


async def _open(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    if poll.closes_at is not None and now >= poll.closes_at:
        raise RefusedError(f"poll {poll.slug!r} should have closed already")
    _move(poll, PollState.OPEN)
    poll.opened_at, poll.late = now, False
    poll.audience_limit_id = await newest_subscriber_id(session, poll.program_id)
    await _plan(session, FAN_OUT_JOB, _key(poll), now, now)


async def pause_poll(runtime: Runtime, slug: str) -> None:
    """Stop sending; answers still count and the closing stands."""
    async with runtime.sessions.begin() as session:
        _move(await find_poll(session, slug, lock=True), PollState.PAUSED)


async def resume_poll(runtime: Runtime, slug: str) -> None:
    """Go on sending; failures are judged from now on."""
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        if poll.state is not PollState.PAUSED:
            raise RefusedError(f"poll {slug!r} is {poll.state.value}, not paused")
        _move(poll, PollState.OPEN)
        poll.pause_reason, poll.resumed_at = "", runtime.clock.now()


async def cancel_poll(runtime: Runtime, slug: str) -> None:
    """Stop sending and taking answers; what came is kept."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        _move(poll, PollState.CANCELLED)
        await cancel_waiting(session, _key(poll), "poll cancelled", now)


async def close_poll(runtime: Runtime, slug: str) -> None:
    """End intake now, because a person says so."""
    async with runtime.sessions.begin() as session:
        await _close(session, await find_poll(session, slug, lock=True), runtime.clock.now())


async def close_when_due(runtime: Runtime, poll_id: int) -> None:
    """End intake at the time set; one closed or cancelled by hand is left alone."""
    async with runtime.sessions.begin() as session:
        poll = await poll_by_id(session, poll_id)
        if PollState.CLOSED in TRANSITIONS[poll.state]:
            await _close(session, poll, runtime.clock.now())


async def _close(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    _move(poll, PollState.CLOSED)
    poll.closed_at = now
    await cancel_waiting(session, _key(poll), "closed before it was sent", now)


async def publish_poll(runtime: Runtime, slug: str, *, actor: str) -> None:
    """Freeze the result as the next public version."""
    results = await read_results(runtime, slug)
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        _move(poll, PollState.PUBLISHED)
        earlier = await publications(session, _key(poll))
        poll.published_at = poll.published_at or now
        session.add(
            tables.Publication(
                poll_id=_key(poll),
                version=len(earlier) + 1,
                results=results,
                actor=actor,
                published_at=now,
            )
        )


async def _plan(
    session: AsyncSession, name: str, poll_id: int, run_at: datetime, now: datetime
) -> None:
    await jobs.enqueue(
        session,
        name,
        f"poll:{poll_id}",
        run_at=run_at,
        now=now,
        payload={"poll_id": poll_id},
        replace=True,
    )


def _move(poll: tables.Poll, towards: PollState) -> None:
    if towards not in TRANSITIONS[poll.state]:
        raise RefusedError(
            f"poll {poll.slug!r} is {poll.state.value}: it cannot become {towards.value}"
        )
    poll.state = towards
    poll.version += 1


def _key(poll: tables.Poll) -> int:
    assert poll.id is not None  # noqa: S101  (a stored row has its key)
    return poll.id


async def preview_poll(runtime: Runtime, slug: str) -> dict[str, Any]:
    """A poll with its texts as they will be (or were) sent and how many people it is for."""
    async with runtime.sessions() as session:
        poll = await find_poll(session, slug)
        owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
        questions = (await load_questions(session, [_key(poll)]))[_key(poll)]
        people = await count_audience(session, poll.program_id, poll.audience)
    bodies = [question.rendered or render_question(owner, question) for question in questions]
    sizes = [measure(body) for body in bodies]
    return {
        **_summary(poll),
        "timezone": owner.timezone,
        "late": poll.late,
        "people": people,
        "texts": [
            {
                "body": body,
                "segments": size.segments,
                "encoding": size.encoding,
                "offenders": list(size.offenders),
            }
            for body, size in zip(bodies, sizes, strict=True)
        ],
    }


async def list_all_polls(runtime: Runtime, program: str | None) -> list[dict[str, Any]]:
    """Polls, newest first; of one program where one is named."""
    owner = await find_program(runtime, program) if program else None
    async with runtime.sessions() as session:
        polls = await list_polls(session, owner.identifier if owner else None)
    return [_summary(poll) for poll in polls]


def _summary(poll: tables.Poll) -> dict[str, Any]:
    def iso(instant: datetime | None) -> str | None:
        return instant.isoformat() if instant else None

    return {
        "slug": poll.slug,
        "title": poll.title,
        "state": poll.state.value,
        "pause_reason": poll.pause_reason,
        "opens_at": iso(poll.opens_at),
        "closes_at": iso(poll.closes_at),
        "results_at": iso(poll.results_at),
    }
