"""The ledger of outbound texts: fan-out, claims, moves, counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.deliveries import BEST_FIRST, DeliveryState, sources_of
from service.domain.polls import Question
from service.store.tables import Poll

_FAN_OUT = text(
    """
    WITH chunk AS (
        SELECT id, number_key, number, hold, review FROM subscriber
        WHERE program_id = :program AND state = 'active' AND id > :after AND id <= :until
          AND attributes @> CAST(:audience AS jsonb)
        ORDER BY id LIMIT :size
    ), written AS (
        INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, question_id,
                              number_key, number, purpose, body, segments, state, reason,
                              not_before, created_at)
        SELECT concat(CAST(:prefix AS text), id, chr(58), 'ask'), :program, id, :poll,
               :question, number_key, number, 'ask', :body, :segments,
               CASE WHEN hold OR review THEN 'cancelled' ELSE 'ready' END,
               CASE WHEN hold THEN 'on hold' WHEN review THEN 'in review' ELSE '' END,
               :now, :now
        FROM chunk ORDER BY id
        ON CONFLICT (dedupe_key) DO NOTHING
    )
    SELECT max(id) AS last_id, count(*) AS people FROM chunk
    """
)


async def fan_out_chunk(
    session: AsyncSession,
    poll: Poll,
    question: Question,
    *,
    segments: int,
    size: int,
    now: datetime,
) -> tuple[int | None, int]:
    """Write the poll's next texts; gives the last subscriber's key and how many people.

    The poll's values are parameters, not joined: so the next people are found by walking an index
    from where the chunk before ended, however many come after.
    """
    values = {
        "program": poll.program_id,
        "after": poll.fan_out_after_id,
        "until": poll.audience_limit_id,
        "audience": json.dumps(poll.audience),
        "poll": poll.id,
        "question": question.identifier,
        "body": question.rendered,
        "prefix": f"poll:{poll.id}:q{question.position}:s",
        "segments": segments,
        "size": size,
        "now": now,
    }
    row = (await session.execute(_FAN_OUT, values)).one()
    return row.last_id, row.people


@dataclass(frozen=True, slots=True)
class ClaimedText:
    """A text this process holds the lease of; ``expires_at`` is set when it is handed over."""

    id: int
    program_id: int
    number_key: bytes
    number: str
    body: str
    segments: int
    attempts: int
    retry_of: int | None = None
    expires_at: datetime | None = None


_CLAIM = text(
    """
    UPDATE delivery SET state = 'leased', leased_until = :until, leased_by = :name
    WHERE id = ANY (ARRAY(
        SELECT d.id FROM delivery d LEFT JOIN poll p ON p.id = d.poll_id
        WHERE d.state IN ('ready', 'deferred') AND d.not_before <= :now
          AND (p.id IS NULL OR p.state <> 'paused')
        ORDER BY d.not_before, d.id LIMIT :size
        FOR UPDATE OF d SKIP LOCKED
    ))
    RETURNING id, program_id, number_key, number, body, segments, attempts, retry_of
    """
)


async def claim(
    session: AsyncSession, *, name: str, now: datetime, lease: timedelta, size: int
) -> list[ClaimedText]:
    """Lease up to ``size`` due texts of open polls, oldest first."""
    values = {"name": name, "now": now, "until": now + lease, "size": size}
    rows = (await session.execute(_CLAIM, values)).all()
    return sorted((ClaimedText(*row) for row in rows), key=lambda claimed: claimed.id)


_PUT_BACK = text(
    """
    UPDATE delivery SET state = 'ready', leased_until = NULL, leased_by = NULL
    WHERE id IN (
        SELECT id FROM delivery
        WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'leased' AND leased_by = :name
        ORDER BY id FOR NO KEY UPDATE
    )
    """
)


async def put_back(session: AsyncSession, ids: Sequence[int], name: str) -> None:
    """Of these texts, those still leased by ``name`` are due again.

    A lease that has lapsed is another's by now, and what it handed over must not be touched.
    """
    await session.execute(_PUT_BACK, {"ids": list(ids), "name": name})


_RESERVE = text(
    """
    INSERT INTO rate_slot (sender, next_at) VALUES (:sender, CAST(:now AS timestamptz) + :cost)
    ON CONFLICT (sender) DO UPDATE SET next_at = greatest(
        least(rate_slot.next_at, CAST(:now AS timestamptz) + interval '5 minutes'), :now) + :cost
    RETURNING next_at
    """
)


async def reserve_rate(
    session: AsyncSession, sender: str, *, segments: int, rate: int, now: datetime
) -> datetime:
    """When ``segments`` may begin to go out; the next caller's turn is after them."""
    cost = timedelta(seconds=segments / rate)
    values = {"sender": sender, "now": now, "cost": cost}
    next_at: datetime = (await session.execute(_RESERVE, values)).scalar_one()
    return next_at - cost


_LEASED = text(
    """
    SELECT d.id, d.purpose, s.state, s.review, s.timezone, p.state AS poll_state, p.closes_at,
           EXISTS (SELECT FROM subscriber h WHERE h.number_key = d.number_key AND h.hold) AS hold,
           CASE WHEN d.purpose = 'alert' THEN
               EXISTS (SELECT FROM opt_out o WHERE o.number_key = d.number_key)
           END AS staff_stopped
    FROM delivery d
    LEFT JOIN subscriber s ON s.id = d.subscriber_id
    LEFT JOIN poll p ON p.id = d.poll_id
    WHERE d.id = ANY(:ids) AND d.state = 'leased' AND d.leased_by = :name
    ORDER BY d.id FOR NO KEY UPDATE OF d
    """
)


async def leased_with_standing(
    session: AsyncSession, ids: Sequence[int], name: str
) -> Sequence[Any]:
    """Of these texts, those still leased by ``name``, with how their people stand now."""
    return (await session.execute(_LEASED, {"ids": list(ids), "name": name})).all()


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one text.

    Attributes:
        not_before: earliest next try, for ``ready`` and ``deferred``.
        attempted: count it as a try at the carrier.
    """

    id: int
    state: DeliveryState
    reason: str = ""
    message_sid: str | None = None
    error_code: int | None = None
    not_before: datetime | None = None
    attempted: bool = False


_LOCK_ROWS = text(
    "SELECT id FROM delivery WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE"
)
_MOVE = text(
    """
    UPDATE delivery d
    SET state = CAST(:state AS text), reason = m.reason,
        message_sid = coalesce(d.message_sid, m.sid),
        -- What an earlier call met with tells why a text waits, and nothing once it went.
        error_code = CASE WHEN CAST(:state AS text) IN ('ready', 'deferred', 'handed')
                          THEN coalesce(m.code, d.error_code) ELSE m.code END,
        not_before = coalesce(m.not_before, d.not_before), attempts = d.attempts + m.attempts,
        handed_at = CASE WHEN CAST(:state AS text) = 'handed' THEN :now
                         WHEN CAST(:state AS text) IN ('ready', 'deferred')
                         THEN NULL
                         WHEN CAST(:state AS text)
                              IN ('accepted', 'sent', 'delivered', 'undelivered')
                         THEN coalesce(d.handed_at, :now) ELSE d.handed_at END,
        settled_at = CASE WHEN CAST(:final AS boolean) THEN :now ELSE d.settled_at END,
        leased_until = NULL, leased_by = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[]), CAST(:sids AS text[]),
                CAST(:codes AS integer[]), CAST(:not_befores AS timestamptz[]),
                CAST(:attempts AS integer[]))
         AS m (id, reason, sid, code, not_before, attempts)
    WHERE d.id = m.id AND d.id = ANY(CAST(:ids AS bigint[]))
      AND d.state = ANY(CAST(:sources AS text[]))
    """
)
_ENDS = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERED,
        DeliveryState.FAILED,
        DeliveryState.CANCELLED,
    }
)


async def move(session: AsyncSession, moves: Sequence[Move], now: datetime) -> None:
    """Move texts along the table of ``domain.deliveries``; a move it lacks changes nothing."""
    if moves:
        await session.execute(_LOCK_ROWS, {"ids": [one.id for one in moves]})
    by_state: dict[DeliveryState, list[Move]] = {}
    for one in moves:
        by_state.setdefault(one.state, []).append(one)
    for state, group in by_state.items():
        group.sort(key=lambda one: one.id)
        values = {
            "state": state.value,
            "final": state in _ENDS,
            "now": now,
            "sources": list(sources_of(state)),
            "ids": [one.id for one in group],
            "reasons": [one.reason for one in group],
            "sids": [one.message_sid for one in group],
            "codes": [one.error_code for one in group],
            "not_befores": [one.not_before for one in group],
            "attempts": [int(one.attempted) for one in group],
        }
        await session.execute(_MOVE, values)


_CANCEL_POLL = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT id FROM delivery
        WHERE poll_id = :poll AND purpose = 'ask' AND state IN ('ready', 'deferred', 'leased')
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE delivery SET state = 'cancelled', reason = :reason, settled_at = :now
    WHERE id IN (SELECT id FROM waiting)
    """
)
_FUNNEL = text(
    """
    SELECT coalesce(further.state, d.state) AS state, coalesce(further.reason, d.reason) AS reason,
           count(*) AS people
    FROM delivery d
    LEFT JOIN delivery further ON further.retry_of = d.id AND further.retry_of IS NOT NULL
          AND array_position(CAST(:best_first AS text[]), further.state)
              < array_position(CAST(:best_first AS text[]), d.state)
    WHERE d.poll_id = :poll AND d.purpose = 'ask' AND d.retry_of IS NULL
    GROUP BY 1, 2
    """
)


async def cancel_waiting(session: AsyncSession, poll_id: int, reason: str, now: datetime) -> None:
    """Texts of a poll not handed over yet are not sent any more."""
    await session.execute(_CANCEL_POLL, {"poll": poll_id, "reason": reason, "now": now})


async def count_by_state(
    session: AsyncSession, poll_id: int
) -> list[tuple[DeliveryState, str, int]]:
    """People of a poll's audience by the state of their text and its reason.

    Who was texted once more is one person still, counted by the text that came further.
    """
    order = [state.value for state in BEST_FIRST]
    rows = await session.execute(_FUNNEL, {"poll": poll_id, "best_first": order})
    return [(DeliveryState(row.state), row.reason, row.people) for row in rows]
