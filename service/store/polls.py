"""Polls and their questions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import cast, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.domain.consent import SubscriberState
from service.domain.poll_file import PollDraft
from service.domain.polls import PollState
from service.errors import NotFoundError
from service.store.tables import Choice, Poll, Publication, Question, Subscriber


async def find_poll(session: AsyncSession, slug: str, *, lock: bool = False) -> Poll:
    """A poll by its slug.

    Args:
        lock: hold it until the transaction ends, to change it.

    Raises:
        NotFoundError: there is none.
    """
    query = select(Poll).where(Poll.slug == slug)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    poll = await session.scalar(query)
    if poll is None:
        raise NotFoundError(f"there is no poll {slug!r}")
    return poll


async def poll_by_id(session: AsyncSession, poll_id: int) -> Poll:
    """A poll by its key, locked until the transaction ends."""
    poll = await session.get(
        Poll, poll_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if poll is None:
        raise NotFoundError(f"there is no poll with key {poll_id}")
    return poll


async def list_polls(session: AsyncSession, program_id: int | None = None) -> Sequence[Poll]:
    """Polls, newest first."""
    query = select(Poll).order_by(col(Poll.id).desc())
    if program_id is not None:
        query = query.where(Poll.program_id == program_id)
    return (await session.scalars(query)).all()


async def add_poll(session: AsyncSession, poll: Poll, draft: PollDraft) -> Poll:
    """Store a poll with its questions and ballots."""
    session.add(poll)
    await session.flush()
    for asked in draft.questions:
        question = Question(
            poll_id=_key(poll.id),
            position=asked.position,
            kind=asked.kind,
            text=asked.text,
            when_labels=list(asked.when),
            minimum=asked.minimum,
            maximum=asked.maximum,
            unit=asked.unit,
        )
        session.add(question)
        await session.flush()
        session.add_all(
            Choice(
                question_id=_key(question.id),
                letter=choice.letter,
                label=choice.label,
                aliases=list(choice.aliases),
                applicable=choice.applicable,
            )
            for choice in asked.choices
        )
    await session.flush()
    return poll


async def freeze_texts(session: AsyncSession, poll: Poll, rendered: dict[int, str]) -> None:
    """Store the whole text of each question, by position."""
    for question in await session.scalars(select(Question).where(Question.poll_id == poll.id)):
        question.rendered = rendered[question.position]
    await session.flush()


async def newest_subscriber_id(session: AsyncSession, program_id: int) -> int:
    """The audience's upper end: who joins later starts with the next poll."""
    query = select(func.max(Subscriber.id)).where(Subscriber.program_id == program_id)
    return await session.scalar(query) or 0


async def count_audience(
    session: AsyncSession, program_id: int, audience: Mapping[str, Any]
) -> int:
    """People a poll with this filter would be for now."""
    return await count_shared_audience(session, program_id, audience, {})


async def count_shared_audience(
    session: AsyncSession, program_id: int, one: Mapping[str, Any], other: Mapping[str, Any]
) -> int:
    """People whom polls with these two filters would both be for now."""
    attributes = cast(col(Subscriber.attributes), JSONB)
    query = select(func.count()).where(
        Subscriber.program_id == program_id,
        Subscriber.state == SubscriberState.ACTIVE,
        attributes.contains(dict(one)),
        attributes.contains(dict(other)),
    )
    return await session.scalar(query) or 0


_PLACES = text(
    """
    SELECT min(number) AS number, timezone, count(*) AS people FROM subscriber
    WHERE program_id = :program AND state = 'active' AND attributes @> CAST(:audience AS jsonb)
    GROUP BY CASE WHEN number LIKE '+1%' THEN left(number, 5) ELSE number END, timezone
    """
)


async def audience_places(
    session: AsyncSession, program_id: int, audience: Mapping[str, Any]
) -> Sequence[Any]:
    """Where the people of an audience are: one of the numbers, the zone given, how many people.

    Numbers of one North American area code lie in the same zones, so they share a row.
    """
    values = {"program": program_id, "audience": json.dumps(dict(audience))}
    return (await session.execute(_PLACES, values)).all()


async def live_polls(session: AsyncSession, program_id: int) -> Sequence[Poll]:
    """A program's polls that are scheduled or under way."""
    states = (PollState.SCHEDULED, PollState.OPEN, PollState.PAUSED)
    query = select(Poll).where(Poll.program_id == program_id, col(Poll.state).in_(states))
    return (await session.scalars(query)).all()


async def publications(session: AsyncSession, poll_id: int) -> Sequence[Publication]:
    """Published versions of a poll's result, newest first."""
    query = select(Publication).where(Publication.poll_id == poll_id)
    return (await session.scalars(query.order_by(col(Publication.version).desc()))).all()


def _key(value: Any) -> int:
    assert isinstance(value, int)  # noqa: S101  (a flushed row has its key)
    return value
