"""Reminder and results text: frozen with the poll, sent once, in chunks that can be resumed.

Each chunk commits with the key of its last subscriber, and a text's ``dedupe_key`` is unique, so
a job that runs twice, or again after a crash, writes nothing twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.poll_changes import key_of, plan_job
from service.domain.alerts import AlertKind
from service.domain.deliveries import Purpose
from service.domain.polls import TAKING_ANSWERS, PollState, Question
from service.domain.programs import Program
from service.domain.segments import LONGEST_TEXT, measure
from service.domain.spoken_times import spoken_time
from service.domain.wording import LANGUAGES, Saying, render, render_reminder
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import tables
from service.store.alerts import raise_alert, settle_alert
from service.store.broadcasts import broadcast_chunk, find_broadcast, save_broadcast
from service.store.catalog import load_questions
from service.store.polls import poll_by_id

REMIND_JOB, RESULTS_JOB = "remind", "send_results"
CHUNK_PEOPLE = 20_000


def reminder_body(
    program: Program, question: Question, after_hours: int, opens_at: datetime, closes_at: datetime
) -> str:
    """A reminder's words, for a poll with these times.

    Raises:
        RefusedError: it would be too long a text.
    """
    said_at = opens_at + timedelta(hours=after_hours)
    body = render_reminder(program, question, closes_at, said_at=said_at)
    if len(body) > LONGEST_TEXT:
        raise RefusedError(f"the reminder has {len(body)} characters; at most {LONGEST_TEXT}")
    return body


def results_body(runtime: Runtime, program: Program, slug: str, language: str = "en") -> str:
    """A results text's words."""
    link = f"{runtime.public_base_url}/polls/{slug}"
    return render(program, Saying(Purpose.RESULTS, link=link), language)


async def freeze_broadcasts(
    runtime: Runtime, session: AsyncSession, poll: tables.Poll, program: Program, first: Question
) -> None:
    """With the scheduling of ``poll``: the words of its broadcasts stand, the results are due.

    Raises:
        RefusedError: the reminder would be too long a text.
    """
    key = key_of(poll)
    if poll.reminder_after_hours is not None and poll.opens_at and poll.closes_at:
        body = reminder_body(
            program, first, poll.reminder_after_hours, poll.opens_at, poll.closes_at
        )
        await save_broadcast(session, key, Purpose.REMINDER, {"en": _measured(body)})
    if poll.results_text and poll.results_at:
        texts = {
            language: _measured(results_body(runtime, program, poll.slug, language))
            for language in LANGUAGES
        }
        await save_broadcast(session, key, Purpose.RESULTS, texts)
        await plan_job(session, RESULTS_JOB, key, poll.results_at, runtime.clock.now())


def _measured(body: str) -> dict[str, Any]:
    return {"body": body, "segments": measure(body).segments}


async def plan_reminder(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    """With the opening of ``poll``: its reminder is due, unless the poll closes before."""
    if poll.reminder_after_hours is None or poll.closes_at is None:
        return
    due_at = now + timedelta(hours=poll.reminder_after_hours)
    if due_at < poll.closes_at:
        await plan_job(session, REMIND_JOB, key_of(poll), due_at, now)


async def plan_results(session: AsyncSession, poll: tables.Poll, now: datetime) -> None:
    """With the publication of ``poll``: who answered is told, at the time set or now if past."""
    if poll.results_text and poll.results_at:
        await plan_job(session, RESULTS_JOB, key_of(poll), max(poll.results_at, now), now)
        await settle_alert(
            session, AlertKind.LATE_POLL, f"results:{poll.id}", by="publication", now=now
        )


async def remind(runtime: Runtime, poll_id: int) -> None:
    """Write the reminders of a poll that still takes answers."""
    await _send(runtime, poll_id, Purpose.REMINDER, lambda poll: poll.state in TAKING_ANSWERS)


async def send_results(runtime: Runtime, poll_id: int) -> None:
    """Write the results texts of a published poll; of one that is not, staff are told."""
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        poll = await poll_by_id(session, poll_id)
        if poll.state in (PollState.OPEN, PollState.PAUSED, PollState.CLOSED):
            owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
            due = spoken_time(poll.results_at or now, owner.timezone)
            await raise_alert(
                session,
                AlertKind.LATE_POLL,
                f"results:{poll_id}",
                f"The results text of poll {poll.slug} was due {due}, but nothing is published. "
                f"It goes out with: pollwire poll publish {poll.slug}",
                now=now,
                program_id=poll.program_id,
                poll_id=poll_id,
            )
            return
    await _send(runtime, poll_id, Purpose.RESULTS, lambda poll: poll.state is PollState.PUBLISHED)


async def _send(
    runtime: Runtime, poll_id: int, purpose: Purpose, may_go: Callable[[tables.Poll], bool]
) -> None:
    done = False
    while not done:
        now = runtime.clock.now()
        async with runtime.sessions.begin() as session:
            poll = await poll_by_id(session, poll_id)
            broadcast = await find_broadcast(session, poll_id, purpose)
            if broadcast is None or broadcast.done_at is not None or not may_go(poll):
                return
            first = (await load_questions(session, [poll_id]))[poll_id][0]
            last_id, people = await broadcast_chunk(
                session, broadcast, poll, first.identifier, size=CHUNK_PEOPLE, now=now
            )
            broadcast.after_id = last_id or broadcast.after_id
            done = people < CHUNK_PEOPLE
            broadcast.done_at = now if done else None
