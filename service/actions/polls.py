"""A poll's life: create, schedule, open, pause, resume, close, cancel, publish."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.broadcasts import freeze_broadcasts, plan_reminder, plan_results
from service.actions.leftovers import LEFTOVERS_JOB, cancel_leftovers
from service.actions.poll_changes import (
    ask_about_opening,
    key_of,
    move_poll,
    plan_job,
    plan_of,
    settle_opening,
)
from service.actions.programs import find_program
from service.actions.results import read_results
from service.actions.scheduling import (
    refuse_before_the_last_hours,
    refuse_more_than_stated,
    refuse_overlap,
)
from service.domain.opening import grown_sentence, has_grown, is_late, late_sentence
from service.domain.poll_file import read_poll
from service.domain.polls import TRANSITIONS, PollState
from service.domain.segments import LONGEST_TEXT
from service.domain.wording import render_question
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import tables
from service.store.catalog import load_questions
from service.store.polls import (
    add_poll,
    count_audience,
    find_poll,
    freeze_texts,
    newest_subscriber_id,
    poll_by_id,
    publications,
)
from service.store.slot_queue import leave_queue
from service.store.slots import hold_poll

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
        reminder_after_hours=draft.reminder_after_hours,
        results_text=draft.results_text,
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
    runtime: Runtime,
    slug: str,
    *,
    opens_at: datetime,
    closes_at: datetime,
    confirmed_people: int | None = None,
    actor: str = "staff",
) -> None:
    """Fix a draft's times and freeze its texts, or move a poll that has not opened yet.

    It opens and closes by itself.

    Args:
        confirmed_people: how many a person agreed to; a much larger audience asks again.

    Raises:
        RefusedError: the times make no sense or end before everybody may have been texted; the
            plan comes to more texts than stated; another poll asks the same people meanwhile; or
            the poll is neither draft nor scheduled.
    """
    async with runtime.sessions.begin() as session:
        _, poll = await hold_poll(session, slug)
        await schedule_within(
            runtime,
            session,
            poll,
            opens_at=opens_at,
            closes_at=closes_at,
            confirmed_people=confirmed_people,
            actor=actor,
        )


async def schedule_within(
    runtime: Runtime,
    session: AsyncSession,
    poll: tables.Poll,
    *,
    opens_at: datetime,
    closes_at: datetime,
    confirmed_people: int | None,
    actor: str,
) -> None:
    """Schedule ``poll`` within the caller's transaction, which holds its row.

    Raises:
        RefusedError: see :func:`schedule_poll`.
    """
    now, key = runtime.clock.now(), key_of(poll)
    plan_of(poll, opens_at, closes_at).check(now)
    move_poll(poll, PollState.SCHEDULED)
    poll.opens_at, poll.closes_at = opens_at, closes_at
    poll.confirmed_people, poll.grown_to, poll.late = confirmed_people, None, False
    owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
    questions = (await load_questions(session, [key]))[key]
    refuse_more_than_stated(owner, poll, questions)
    await refuse_before_the_last_hours(session, owner, poll, opens_at, closes_at)
    await refuse_overlap(session, poll, opens_at, closes_at)
    texts = {q.position: q.rendered or render_question(owner, q) for q in questions}
    await freeze_texts(session, poll, texts)
    await freeze_broadcasts(runtime, session, poll, owner, questions[0])
    await plan_job(session, OPEN_JOB, key, opens_at, now)
    await plan_job(session, CLOSE_JOB, key, closes_at, now)
    await settle_opening(session, poll, actor, now)
    await leave_queue(session, key)


async def open_when_due(runtime: Runtime, poll_id: int) -> None:
    """Open a scheduled poll, unless that is for staff to decide: then they are asked.

    They are when it is too late, and when the audience has outgrown what was confirmed.
    """
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await poll_by_id(session, poll_id)
        if poll.state is not PollState.SCHEDULED or not (poll.opens_at and poll.closes_at):
            return
        owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
        plan = plan_of(poll, poll.opens_at, poll.closes_at)
        if is_late(plan, owner.late_limit_minutes, now):
            poll.late = True
            await ask_about_opening(session, poll, late_sentence(plan, owner.timezone), now)
            return
        people = await count_audience(session, poll.program_id, poll.audience)
        if has_grown(poll.confirmed_people, people):
            poll.grown_to = people
            sentence = grown_sentence(poll.slug, poll.confirmed_people, people)
            await ask_about_opening(session, poll, sentence, now)
            return
        await _open(session, poll, now)


async def open_poll(runtime: Runtime, slug: str, *, actor: str = "staff") -> None:
    """Open a scheduled poll now, because a person says so.

    Raises:
        RefusedError: it is not scheduled, or another poll is asking the same people.
    """
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        _, poll = await hold_poll(session, slug)
        await _open(session, poll, now)
        if poll.opens_at and poll.closes_at and now < poll.opens_at:
            await refuse_overlap(session, poll, now, poll.closes_at)
        await settle_opening(session, poll, actor, now)


async def _open(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    if poll.closes_at is not None and now >= poll.closes_at:
        raise RefusedError(f"poll {poll.slug!r} should have closed already")
    move_poll(poll, PollState.OPEN)
    poll.opened_at, poll.late, poll.grown_to = now, False, None
    poll.audience_limit_id = await newest_subscriber_id(session, poll.program_id)
    await plan_job(session, FAN_OUT_JOB, key_of(poll), now, now)
    await plan_reminder(session, poll, now)


async def pause_poll(runtime: Runtime, slug: str) -> datetime | None:
    """Stop sending; answers still count. Gives when the poll closes all the same."""
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        move_poll(poll, PollState.PAUSED)
        return poll.closes_at


async def resume_poll(runtime: Runtime, slug: str) -> None:
    """Go on sending; failures are judged from now on."""
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        if poll.state is not PollState.PAUSED:
            raise RefusedError(f"poll {slug!r} is {poll.state.value}, not paused")
        move_poll(poll, PollState.OPEN)
        poll.pause_reason, poll.resumed_at = "", runtime.clock.now()


async def cancel_poll(runtime: Runtime, slug: str, *, actor: str = "staff") -> None:
    """Stop sending and taking answers; what came is kept."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        move_poll(poll, PollState.CANCELLED)
        await plan_job(session, LEFTOVERS_JOB, key_of(poll), now, now)
        await settle_opening(session, poll, actor, now)
        await leave_queue(session, key_of(poll))
    await cancel_leftovers(runtime, key_of(poll))


async def close_poll(runtime: Runtime, slug: str) -> None:
    """End intake now, because a person says so."""
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        await _close(session, poll, runtime.clock.now())
    await cancel_leftovers(runtime, key_of(poll))


async def close_when_due(runtime: Runtime, poll_id: int) -> None:
    """End intake at the time set; one closed or cancelled by hand is left alone."""
    async with runtime.sessions.begin() as session:
        poll = await poll_by_id(session, poll_id)
        if PollState.CLOSED in TRANSITIONS[poll.state]:
            await _close(session, poll, runtime.clock.now())


async def _close(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    move_poll(poll, PollState.CLOSED)
    poll.closed_at = now
    await plan_job(session, LEFTOVERS_JOB, key_of(poll), now, now)


async def publish_poll(runtime: Runtime, slug: str, *, actor: str) -> None:
    """Freeze the result as the next public version."""
    async with runtime.sessions() as session:
        found = await find_poll(session, slug)
    await cancel_leftovers(runtime, key_of(found))  # what still waited would be frozen as waiting
    results = await read_results(runtime, slug)
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        move_poll(poll, PollState.PUBLISHED)
        earlier = await publications(session, key_of(poll))
        poll.published_at = poll.published_at or now
        await plan_results(session, poll, now)
        session.add(
            tables.Publication(
                poll_id=key_of(poll),
                version=len(earlier) + 1,
                results=results,
                actor=actor,
                published_at=now,
            )
        )
