"""What a decision needs to know of the numbers in one batch, in three queries whatever its size."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import SubscriberState
from service.domain.conversation import AskedPoll, Given, Member, SaidBefore
from service.domain.deliveries import Purpose
from service.domain.polls import PollState, Question
from service.store.catalog import Catalog

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


_STATES = text(
    """
    SELECT k.program_id, k.number_key, s.id AS subscriber_id, s.state, s.hold, s.review, s.language,
           o.number_key IS NOT NULL AS stopped_before,
           d.poll_id, q.position, p.state AS poll_state, p.version, p.slug, p.results_at
    FROM unnest(CAST(:programs AS bigint[]), CAST(:keys AS bytea[])) AS k (program_id, number_key)
    LEFT JOIN subscriber s ON s.program_id = k.program_id AND s.number_key = k.number_key
    LEFT JOIN opt_out o ON o.number_key = k.number_key
    LEFT JOIN LATERAL (
        SELECT poll_id, question_id FROM delivery
        WHERE subscriber_id = s.id AND purpose IN ('ask', 'follow_up') AND handed_at IS NOT NULL
        ORDER BY id DESC LIMIT 1
    ) d ON true
    LEFT JOIN question q ON q.id = d.question_id
    LEFT JOIN poll p ON p.id = d.poll_id
    """
)
_ANSWERS = text(
    """
    SELECT a.subscriber_id, q.position, c.label, a.number, a.text, a.comment, a.answered_at
    FROM unnest(CAST(:subscribers AS bigint[]), CAST(:polls AS bigint[]))
         AS k (subscriber_id, poll_id)
    JOIN question q ON q.poll_id = k.poll_id
    JOIN answer a ON a.question_id = q.id AND a.subscriber_id = k.subscriber_id AND NOT a.void
    LEFT JOIN choice c ON c.id = a.choice_id
    """
)
_SAID = text(
    """
    SELECT number_key, program_id, purpose, poll_id, question_id, max(created_at) AS last_at,
           count(*) AS texts, count(*) FILTER (WHERE created_at > :hour_ago) AS within_hour
    FROM delivery
    WHERE number_key = ANY(CAST(:keys AS bytea[])) AND inbound_sid IS NOT NULL
      AND created_at > :since
    GROUP BY number_key, program_id, purpose, poll_id, question_id
    """
)


async def load_members(
    session: AsyncSession,
    catalog: Catalog,
    addresses: Iterable[Address],
    *,
    public_base_url: str,
    now: datetime,
) -> dict[Address, StoredMember]:
    """The state of each number in each program; hold the numbers' locks first."""
    pairs = list(dict.fromkeys(addresses))
    if not pairs:
        return {}
    keys = [key for _, key in pairs]
    rows = (await session.execute(_STATES, {"programs": [p for p, _ in pairs], "keys": keys})).all()
    polls = await catalog.questions(
        session, ((row.poll_id, row.version) for row in rows if row.poll_id)
    )
    answers = await _answers(session, rows)
    said = (
        await session.execute(
            _SAID,
            {"keys": keys, "since": now - _LOOK_BACK, "hour_ago": now - timedelta(hours=1)},
        )
    ).all()
    by_number: dict[bytes, list[Any]] = defaultdict(list)
    for row in said:
        by_number[row.number_key].append(row)
    return {
        (row.program_id, row.number_key): StoredMember(
            program_id=row.program_id,
            number_key=row.number_key,
            subscriber_id=row.subscriber_id,
            language=row.language or "en",
            member=_member(row, polls, answers, by_number[row.number_key], public_base_url),
        )
        for row in rows
    }


async def _answers(session: AsyncSession, rows: Sequence[Any]) -> dict[int, dict[int, Given]]:
    asked = [row for row in rows if row.poll_id and row.subscriber_id]
    found: dict[int, dict[int, Given]] = defaultdict(dict)
    if not asked:
        return found
    values = {
        "subscribers": [row.subscriber_id for row in asked],
        "polls": [row.poll_id for row in asked],
    }
    for row in await session.execute(_ANSWERS, values):
        given = Given(row.label, row.number, row.text, row.comment, row.answered_at)
        found[row.subscriber_id][row.position] = given
    return found


async def standing_answers(
    session: AsyncSession, subscriber_id: int, poll_id: int
) -> dict[int, Given]:
    """One person's answers to a poll that count, by position."""
    values = {"subscribers": [subscriber_id], "polls": [poll_id]}
    return {
        row.position: Given(row.label, row.number, row.text, row.comment, row.answered_at)
        for row in await session.execute(_ANSWERS, values)
    }


def _member(
    row: Any,
    polls: Mapping[int, tuple[Question, ...]],
    answers: Mapping[int, Mapping[int, Given]],
    said: Sequence[Any],
    public_base_url: str,
) -> Member:
    state = SubscriberState(row.state) if row.state else None
    if state is None and row.stopped_before:
        state = SubscriberState.OPTED_OUT
    asked = None
    if row.poll_id:
        published = row.poll_state == PollState.PUBLISHED
        asked = AskedPoll(
            identifier=row.poll_id,
            state=PollState(row.poll_state),
            questions=polls[row.poll_id],
            results_at=row.results_at,
            link=f"{public_base_url}/polls/{row.slug}" if published else "",
        )
    return Member(
        state=state,
        hold=bool(row.hold),
        review=bool(row.review),
        asked=asked,
        last_asked=row.position or 0,
        answers=answers.get(row.subscriber_id, {}),
        said=_said_before(row.program_id, asked, said),
    )


def _said_before(program_id: int, asked: AskedPoll | None, said: Sequence[Any]) -> SaidBefore:
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
