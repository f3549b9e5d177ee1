"""What is needed to judge a text that was received some time ago, and to write it down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import ConsentEventKind
from service.domain.hindsight import WHOLE_SECOND, Past, state_after
from service.store.members import StoredMember

_SURELY_LATER = timedelta(seconds=30)
"""A text that a webhook brought was received up to so long before we took it in."""

_LATER = """
    SELECT FROM inbound_text i
    WHERE i.number_key = CAST(:key AS bytea)
      AND (i.message_sid = ANY(CAST(:later AS text[])) OR i.received_at > :surely_later)
"""
_JOINS = f"""
    {_LATER}
      AND i.label = ANY (CASE WHEN p.opt_out_mode = 'app' THEN ARRAY['join', 'start', 'confirm']
                              ELSE ARRAY['start', 'confirm'] END)
"""
"""Later texts that say "in"; where Twilio blocks, a join word does not bring anybody back."""

_PAST = text(
    f"""
    SELECT e.kind, e.campaign, l.closed_at,
           coalesce(s.state_at > :until, false) AS changed_since,
           EXISTS (SELECT FROM opt_out o WHERE o.number_key = CAST(:key AS bytea)
                   AND o.last_at > :at) AS stopped_since,
           EXISTS ({_LATER} AND i.program_id = p.id) AS later_texts,
           EXISTS ({_JOINS} AND i.program_id = p.id) AS joined_since,
           EXISTS (SELECT FROM delivery d WHERE d.subscriber_id = s.id
                   AND d.purpose IN ('ask', 'follow_up') AND d.handed_at > :until
                   AND d.state <> 'failed'
                   AND d.poll_id IS DISTINCT FROM :poll) AS asked_since
    FROM program p
    LEFT JOIN subscriber s ON s.program_id = p.id AND s.number_key = CAST(:key AS bytea)
    LEFT JOIN poll l ON l.id = :poll
    LEFT JOIN LATERAL (
        SELECT kind, campaign FROM consent_event
        WHERE number_key = CAST(:key AS bytea) AND occurred_at <= :until
          AND kind NOT IN ('hold', 'release')
          AND (program_id = p.id OR program_id IS NULL OR kind = 'opt_out')
        ORDER BY occurred_at DESC, id DESC LIMIT 1
    ) e ON true
    WHERE p.id = :program
    """
)


async def load_past(
    session: AsyncSession, stored: StoredMember, at: datetime, later: Sequence[str]
) -> Past:
    """How a member stood at ``at``, and what has happened since; hold the number's lock.

    Args:
        later: MessageSids of the number's texts that the carrier lists after this one.
    """
    asked = stored.member.asked
    values = {
        "key": stored.number_key,
        "program": stored.program_id,
        "poll": asked.identifier if asked else None,
        "at": at,
        "until": at + WHOLE_SECOND,
        "later": list(later),
        "surely_later": at + _SURELY_LATER,
    }
    row: Any = (await session.execute(_PAST, values)).one()
    state = stored.member.state
    if row.changed_since or stored.subscriber_id is None:
        kind = ConsentEventKind(row.kind) if row.kind else None
        state = state_after(kind, row.campaign)
    return Past(
        at=at,
        state=state,
        poll_closed_at=row.closed_at,
        asked_since=row.asked_since,
        later=later,
        later_texts=row.later_texts,
        stopped_since=row.stopped_since,
        joined_since=row.joined_since,
        changed_since=row.changed_since,
    )


_REMEMBER_STOP = text(
    """
    INSERT INTO opt_out (number_key, first_at, last_at) VALUES (:key, :at, :at)
    ON CONFLICT (number_key) DO UPDATE
    SET first_at = least(opt_out.first_at, EXCLUDED.first_at),
        last_at = greatest(opt_out.last_at, EXCLUDED.last_at)
    """
)
_STAY = text(
    f"""
    UPDATE subscriber s
    SET state_at = greatest(CAST(:at AS timestamptz), (
        {_JOINS.replace("SELECT FROM", "SELECT max(i.received_at) FROM")} AND i.program_id = p.id
    ))
    FROM program p
    WHERE p.id = s.program_id AND s.number_key = CAST(:key AS bytea) AND s.state_at < :at
      AND s.state = 'active' AND EXISTS ({_JOINS} AND i.program_id = p.id)
    """
)
_STOP_UNLESS_BACK = text(
    f"""
    WITH stopped AS (
        SELECT s.id FROM subscriber s JOIN program p ON p.id = s.program_id
        WHERE s.number_key = CAST(:key AS bytea)
          AND NOT EXISTS ({_JOINS} AND i.program_id = p.id)
    ), waiting AS MATERIALIZED (
        SELECT d.id FROM stopped JOIN delivery d ON d.subscriber_id = stopped.id
        WHERE d.purpose IN ('ask', 'follow_up', 'reminder', 'results')
          AND d.state IN ('ready', 'deferred', 'leased')
        ORDER BY d.id FOR NO KEY UPDATE OF d
    ), cancelled AS (
        UPDATE delivery SET state = 'cancelled', reason = 'opted out', settled_at = :now
        WHERE id = ANY (ARRAY(SELECT id FROM waiting))
    ), settled AS (
        UPDATE inbound_text
        SET waiting = NULL, settled_at = :now, settled_by = 'opt-out'
        WHERE subscriber_id IN (SELECT id FROM stopped) AND waiting IS NOT NULL
    )
    UPDATE subscriber SET state = 'opted_out', state_at = :at, hold = false, review = false
    WHERE id IN (SELECT id FROM stopped) AND state <> 'opted_out'
    """
)


async def opt_out_as_of(
    session: AsyncSession, key: bytes, at: datetime, now: datetime, *, later: Sequence[str]
) -> None:
    """A number said stop at ``at``: it is out of every program it has not joined again since.

    Args:
        later: as for :func:`load_past`.
    """
    await session.execute(_REMEMBER_STOP, {"key": key, "at": at})
    values = {"later": list(later), "surely_later": at + _SURELY_LATER}
    await session.execute(_STOP_UNLESS_BACK, {"key": key, "at": at, "now": now, **values})
    # Where the handset said once more that it is in, it is so since then, and not since before.
    await session.execute(_STAY, {"key": key, "at": at, **values})


_ANSWERS = text(
    """
    SELECT d.id, d.purpose, i.received_at,
           EXISTS (SELECT FROM opt_out o WHERE o.number_key = d.number_key
                   AND o.last_at > i.received_at) AS stopped_since
    FROM delivery d JOIN inbound_text i ON i.message_sid = d.inbound_sid
    WHERE d.id = ANY(CAST(:ids AS bigint[]))
    """
)


async def answers_among(session: AsyncSession, ids: list[int]) -> dict[int, Any]:
    """Of these texts those that answer a member's own, by key, with the time of the latter."""
    return {row.id: row for row in await session.execute(_ANSWERS, {"ids": ids})}
