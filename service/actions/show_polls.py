"""Polls as staff look at them: one with its texts, or all."""

from datetime import datetime
from typing import Any

from service.actions.poll_changes import key_of
from service.actions.programs import find_program
from service.domain.segments import measure
from service.domain.wording import render_question
from service.runtime import Runtime
from service.store import tables
from service.store.catalog import load_questions
from service.store.polls import count_audience, find_poll, list_polls


async def preview_poll(runtime: Runtime, slug: str) -> dict[str, Any]:
    """A poll with its texts as they will be (or were) sent and how many people it is for."""
    async with runtime.sessions() as session:
        poll = await find_poll(session, slug)
        owner = (await runtime.catalog.programs(session)).by_id(poll.program_id)
        key = key_of(poll)
        questions = (await load_questions(session, [key]))[key]
        people = await count_audience(session, poll.program_id, poll.audience)
    bodies = [question.rendered or render_question(owner, question) for question in questions]
    sizes = [measure(body) for body in bodies]
    return {
        **_summary(poll),
        "timezone": owner.timezone,
        "people": people,
        "confirmed_people": poll.confirmed_people,
        "grown_to": poll.grown_to,
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
        "opens_at": iso(poll.opens_at),
        "closes_at": iso(poll.closes_at),
        "results_at": iso(poll.results_at),
        "late": poll.late,
    }
