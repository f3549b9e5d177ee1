"""What is known of the texts in one batch and of their senders, in one query whatever its size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import SubscriberState
from service.domain.conversation import AskedPoll, Given, Member, SaidBefore
from service.domain.deliveries import Purpose
from service.domain.polls import PollState, Question
from service.store.catalog import Catalog
from service.store.inbound import Response
from service.store.quick import Statement

Address = tuple[int, bytes]
"""A program's key and a number's key: one person in one program."""

_LOOK_BACK = timedelta(days=8)


@dataclass(slots=True)
class StoredMember:
    """A member with its row's key; ``member`` moves on as texts are decided."""

    program_id: int
    number_key: bytes
    subscriber_id: int | None
    language: str
    member: Member
    before: Member = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.member


_KNOWN = Statement(
    """
    SELECT k.message_sid, i.id IS NOT NULL AS known, i.response_body, i.response_delivery_id,
           k.program_id, k.number_key, s.id AS subscriber_id, s.state, s.hold, s.review, s.language,
           o.number_key IS NOT NULL AS stopped_before,
           d.poll_id, q.position, p.state AS poll_state, p.version, p.slug, p.results_at,
           ARRAY(
               SELECT ROW (aq.position, c.label, a.number, a.text, a.comment, a.answered_at)
               FROM question aq
               JOIN answer a ON a.question_id = aq.id AND a.subscriber_id = s.id AND NOT a.void
               LEFT JOIN choice c ON c.id = a.choice_id
               WHERE aq.poll_id = d.poll_id
           ) AS answers,
           ARRAY(
               SELECT ROW (program_id, purpose, poll_id, question_id, max(created_at), count(*),
                           count(*) FILTER (WHERE created_at > :hour_ago))
               FROM delivery
               WHERE number_key = k.number_key AND inbound_sid IS NOT NULL AND created_at > :since
                 AND state <> 'cancelled'
               GROUP BY program_id, purpose, poll_id, question_id
           ) AS said
    FROM unnest(CAST(:sids AS text[]), CAST(:programs AS bigint[]), CAST(:keys AS bytea[]))
         AS k (message_sid, program_id, number_key)
    LEFT JOIN inbound_text i
           ON i.message_sid = k.message_sid AND i.message_sid = ANY(CAST(:sids AS text[]))
    LEFT JOIN subscriber s ON s.program_id = k.program_id AND s.number_key = k.number_key
          AND s.number_key = ANY(CAST(:keys AS bytea[]))
    LEFT JOIN opt_out o
           ON o.number_key = k.number_key AND o.number_key = ANY(CAST(:keys AS bytea[]))
    LEFT JOIN LATERAL (
        SELECT poll_id, question_id FROM delivery
        WHERE subscriber_id = s.id AND purpose IN ('ask', 'follow_up') AND handed_at IS NOT NULL
          AND state <> 'failed'
          AND (CAST(:asked_by AS timestamptz) IS NULL OR handed_at <= :asked_by)
        ORDER BY handed_at DESC, id DESC LIMIT 1
    ) d ON true
    LEFT JOIN question q ON q.id = d.question_id
    LEFT JOIN poll p ON p.id = d.poll_id
    """
)


class _Row(NamedTuple):
    """One text and its sender, as the query above gives them; a poll's columns go together."""

    message_sid: str
    known: bool
    response_body: str | None
    response_delivery_id: int | None
    program_id: int | None
    number_key: bytes
    subscriber_id: int | None
    state: str | None
    hold: bool | None
    review: bool | None
    language: str | None
    stopped_before: bool
    poll_id: int | None
    position: int | None
    poll_state: str
    version: int
    slug: str
    results_at: datetime | None
    answers: Sequence[Sequence[Any]]
    said: Sequence[Sequence[Any]]


class _Said(NamedTuple):
    """Automatic texts of one kind to one number."""

    program_id: int
    purpose: str
    poll_id: int | None
    question_id: int | None
    last_at: datetime
    texts: int
    within_hour: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a batch of texts.

    Attributes:
        responses: given before, by MessageSid.
        members: the state of each number in each program.
    """

    responses: dict[str, Response]
    members: dict[Address, StoredMember]


async def load_known(
    session: AsyncSession,
    catalog: Catalog,
    texts: Mapping[str, tuple[int | None, bytes]],
    *,
    public_base_url: str,
    now: datetime,
    asked_by: datetime | None = None,
) -> Known:
    """What is known about texts and those who sent them; hold the numbers' locks first.

    Args:
        texts: by MessageSid, the program's key, where one is addressed, and the number's.
        asked_by: take no question for the one last asked that was sent later.
    """
    values = {
        "sids": list(texts),
        "programs": [program for program, _ in texts.values()],
        "keys": [key for _, key in texts.values()],
        "since": now - _LOOK_BACK,
        "hour_ago": now - timedelta(hours=1),
        "asked_by": asked_by,
    }
    rows = [_Row(*row) for row in await _KNOWN.rows(session, values)]
    polls = await catalog.questions(
        session, ((row.poll_id, row.version) for row in rows if row.poll_id)
    )
    asked = _asked_polls(rows, polls, public_base_url)
    return Known(
        responses={
            row.message_sid: Response(row.response_body, row.response_delivery_id)
            for row in rows
            if row.known
        },
        members={
            (row.program_id, row.number_key): StoredMember(
                program_id=row.program_id,
                number_key=row.number_key,
                subscriber_id=row.subscriber_id,
                language=row.language or "en",
                member=_member(row, asked[row.poll_id] if row.poll_id else None),
            )
            for row in rows
            if row.program_id is not None
        },
    )


_STANDING = text(
    """
    SELECT q.position, c.label, a.number, a.text, a.comment, a.answered_at
    FROM question q
    JOIN answer a ON a.question_id = q.id AND a.subscriber_id = :subscriber AND NOT a.void
    LEFT JOIN choice c ON c.id = a.choice_id
    WHERE q.poll_id = :poll
    """
)


async def standing_answers(
    session: AsyncSession, subscriber_id: int, poll_id: int
) -> dict[int, Given]:
    """One person's answers to a poll that count, by position."""
    rows = await session.execute(_STANDING, {"subscriber": subscriber_id, "poll": poll_id})
    return {
        row.position: Given(row.label, row.number, row.text, row.comment, row.answered_at)
        for row in rows
    }


def _asked_polls(
    rows: Iterable[_Row], polls: Mapping[int, tuple[Question, ...]], public_base_url: str
) -> dict[int, AskedPoll]:
    """The polls that these people were asked last, each once, by key."""
    return {
        row.poll_id: AskedPoll(
            identifier=row.poll_id,
            state=PollState(row.poll_state),
            questions=polls[row.poll_id],
            results_at=row.results_at,
            link=f"{public_base_url}/polls/{row.slug}"
            if row.poll_state == PollState.PUBLISHED
            else "",
        )
        for row in {row.poll_id: row for row in rows}.values()
        if row.poll_id
    }


def _member(row: _Row, asked: AskedPoll | None) -> Member:
    state = SubscriberState(row.state) if row.state else None
    if state is None and row.stopped_before:
        state = SubscriberState.OPTED_OUT
    return Member(
        state=state,
        hold=bool(row.hold),
        review=bool(row.review),
        asked=asked,
        last_asked=row.position or 0,
        answers={position: Given(*given) for position, *given in row.answers},
        said=_said_before(row.program_id, asked, row.said) if row.said else _NOTHING,
    )


_NOTHING = SaidBefore()


def _said_before(
    program_id: int | None, asked: AskedPoll | None, rows: Sequence[Sequence[Any]]
) -> SaidBefore:
    said = [_Said(*row) for row in rows]
    last: dict[Purpose, datetime] = {}
    clarifying: dict[int, int] = {}
    told_closed = False
    positions = {q.identifier: q.position for q in asked.questions} if asked else {}
    for row in said:
        if row.program_id != program_id:
            continue
        purpose = Purpose(row.purpose)
        last[purpose] = max(row.last_at, last.get(purpose, row.last_at))
        if purpose is Purpose.UNCLEAR and row.question_id in positions:
            clarifying[positions[row.question_id]] = row.texts
        if purpose in (Purpose.LATE, Purpose.CLOSED) and asked and row.poll_id == asked.identifier:
            told_closed = True
    return SaidBefore(last, sum(row.within_hour for row in said), clarifying, told_closed)
