"""The ledger of outbound texts: fan-out, claims, moves, counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.deliveries import BEST_FIRST, MOVES, DeliveryState
from service.domain.polls import Question
from service.store.quick import Statement
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


# A chunk that a crash takes away was not handed over either, for that commit comes later and waits
# for everything before it; and where to go on from is lost with it.
_NEED_NOT_WAIT = text("SET LOCAL synchronous_commit TO off")


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
    await session.execute(_NEED_NOT_WAIT)
    row = (await session.execute(_FAN_OUT, values)).one()
    return row.last_id, row.people


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one text.

    Attributes:
        not_before: earliest next try, for ``ready`` and ``deferred``.
        attempted: count it as a try at the carrier.
        checks: what the gate saw; empty keeps what it saw before.
        handed_at: of which handing over this is the outcome; one since then is another's.
    """

    id: int
    state: DeliveryState
    reason: str = ""
    message_sid: str | None = None
    error_code: int | None = None
    not_before: datetime | None = None
    attempted: bool = False
    checks: str = ""
    handed_at: datetime | None = None


_LOCK_ROWS = Statement(
    "SELECT id FROM delivery WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE"
)
_MOVE = Statement(
    """
    UPDATE delivery d
    SET state = m.state, reason = m.reason,
        message_sid = coalesce(d.message_sid, m.sid),
        -- What an earlier call met with tells why a text waits, and nothing once it went.
        error_code = CASE WHEN m.state IN ('ready', 'deferred', 'handed')
                          THEN coalesce(m.code, d.error_code)
                          WHEN m.state <> 'delivered' THEN m.code END,
        not_before = coalesce(m.not_before, d.not_before), attempts = d.attempts + m.attempts,
        handed_at = CASE WHEN m.state = 'handed' THEN CAST(:now AS timestamptz)
                         WHEN m.state IN ('ready', 'deferred') THEN NULL
                         WHEN m.state IN ('accepted', 'sent', 'delivered', 'undelivered')
                         THEN coalesce(d.handed_at, :now) ELSE d.handed_at END,
        settled_at = CASE WHEN m.state IN ('delivered', 'undelivered', 'failed', 'cancelled')
                          THEN :now ELSE d.settled_at END,
        checked_at = CASE WHEN m.checks = '' THEN d.checked_at ELSE :now END,
        checks = CASE WHEN m.checks = '' THEN d.checks ELSE m.checks END,
        leased_until = NULL, leased_by = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
                CAST(:sids AS text[]), CAST(:codes AS integer[]),
                CAST(:not_befores AS timestamptz[]), CAST(:attempts AS integer[]),
                CAST(:checks AS text[]), CAST(:handed_ats AS timestamptz[]))
         AS m (id, state, reason, sid, code, not_before, attempts, checks, handed_at)
    WHERE d.id = m.id AND d.id = ANY(CAST(:ids AS bigint[]))
      AND (m.handed_at IS NULL OR m.handed_at = d.handed_at)
      AND EXISTS (SELECT FROM unnest(CAST(:sources AS text[]), CAST(:targets AS text[]))
                  AS allowed (source, target)
                  WHERE allowed.source = d.state AND allowed.target = m.state)
    """
)
_PAIRS = [(source.value, target.value) for source, targets in MOVES.items() for target in targets]
_TABLE = {"sources": [source for source, _ in _PAIRS], "targets": [target for _, target in _PAIRS]}


async def move(
    session: AsyncSession, moves: Sequence[Move], now: datetime, *, locked: bool = False
) -> None:
    """Move texts along the table of ``domain.deliveries``; a move it lacks changes nothing.

    Args:
        moves: at most one a text.
        locked: the caller has locked their rows.
    """
    if not moves:
        return
    ordered = sorted(moves, key=lambda one: one.id)
    if not locked:
        await _LOCK_ROWS.rows(session, {"ids": [one.id for one in ordered]})
    values = {
        "now": now,
        "ids": [one.id for one in ordered],
        "states": [one.state.value for one in ordered],
        "reasons": [one.reason for one in ordered],
        "sids": [one.message_sid for one in ordered],
        "codes": [one.error_code for one in ordered],
        "not_befores": [one.not_before for one in ordered],
        "attempts": [int(one.attempted) for one in ordered],
        "checks": [one.checks for one in ordered],
        "handed_ats": [one.handed_at for one in ordered],
        **_TABLE,
    }
    await _MOVE.rows(session, values)


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


async def count_by_state(
    session: AsyncSession, poll_id: int
) -> list[tuple[DeliveryState, str, int]]:
    """People of a poll's audience by the state of their text and its reason.

    Who was texted once more is one person still, counted by the text that came further.
    """
    order = [state.value for state in BEST_FIRST]
    rows = await session.execute(_FUNNEL, {"poll": poll_id, "best_first": order})
    return [(DeliveryState(row.state), row.reason, row.people) for row in rows]
