"""Polls as staff look at them: one with its texts, or all."""

from datetime import datetime
from typing import Any

from service.actions.broadcasts import reminder_body, results_body
from service.actions.poll_changes import key_of
from service.actions.programs import find_program
from service.domain.deliveries import Purpose
from service.domain.segments import measure
from service.domain.wording import render_question
from service.runtime import Runtime
from service.store import tables
from service.store.broadcasts import find_broadcast
from service.store.catalog import load_questions
from service.store.polls import count_audience, find_poll, list_polls


async def preview_poll(
    runtime: Runtime,
    slug: str,
    *,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> dict[str, Any]:
    """A poll with its texts as they will be (or were) sent and how many people it is for.

    Args:
        opens_at: with ``closes_at``: times it may get, which its reminder speaks of.
    """
    async with runtime.sessions() as session:
        poll = await find_poll(session, slug)
        key = key_of(poll)
        owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
        questions = (await load_questions(session, [key]))[key]
        people = await count_audience(session, poll.program_id, poll.audience)
        reminder = await find_broadcast(session, key, Purpose.REMINDER)
    hours = poll.reminder_after_hours
    body = reminder.texts["en"]["body"] if reminder else None
    if hours is not None and opens_at and closes_at:
        body = reminder_body(owner, questions[0], hours, opens_at, closes_at)
    return {
        **_summary(poll),
        "timezone": owner.timezone,
        "people": people,
        "confirmed_people": poll.confirmed_people,
        "grown_to": poll.grown_to,
        "texts": [
            _described(question.rendered or render_question(owner, question))
            for question in questions
        ],
        "reminder": hours and {"after_hours": hours, "text": body and _described(body)},
        "results_text": _described(results_body(runtime, owner, slug))
        if poll.results_text
        else None,
    }


def _described(body: str) -> dict[str, Any]:
    size = measure(body)
    return {
        "body": body,
        "segments": size.segments,
        "encoding": size.encoding,
        "offenders": list(size.offenders),
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
        "late": poll.late,
    }
