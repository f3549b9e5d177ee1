"""How the people of texts about to leave stand, in one query a turn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import SubscriberState
from service.domain.deliveries import Purpose
from service.domain.frequency import DAY, HOUR, MONTH, Sent
from service.domain.gate import Standing
from service.domain.polls import PollState
from service.store.quick import Statement

# What we began is found through the number's subscribers, what answered it by the number itself:
# so two indexes that are needed anyway serve, and marking a text handed writes to no third.
_LEASED = Statement(
    """
    SELECT d.id, d.number, d.purpose, s.state, s.timezone, p.state AS poll_state, p.closes_at,
           coalesce(n.hold, false) AS hold, coalesce(n.review, false) AS review,
           coalesce(greatest(o.last_at, n.left_at) > coalesce(
               CASE WHEN s.id IS NULL THEN n.joined_at
                    WHEN s.state IN ('active', 'suspended') THEN s.state_at END,
               '-infinity'), false) AS stopped,
           c.month, c.unasked, c.automatic,
           d.purpose = 'reminder' AND EXISTS (
               SELECT FROM answer a WHERE a.question_id = d.question_id
                  AND a.subscriber_id = d.subscriber_id AND NOT a.void
           ) AS answered,
           d.purpose = 'reminder' AND EXISTS (
               SELECT FROM delivery n
               WHERE n.subscriber_id = d.subscriber_id AND n.purpose IN ('ask', 'follow_up')
                 AND n.handed_at > d.created_at AND n.poll_id <> d.poll_id AND n.state <> 'failed'
           ) AS asked_since
    FROM delivery d
    LEFT JOIN subscriber s ON s.id = d.subscriber_id
    LEFT JOIN poll p ON p.id = d.poll_id
    LEFT JOIN LATERAL (
        SELECT max(last_at) AS last_at FROM opt_out WHERE number_key = d.number_key
    ) o ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(hold) AS hold, bool_or(review) AS review,
               max(state_at) FILTER (WHERE state = 'opted_out') AS left_at,
               max(state_at) FILTER (WHERE state = 'active') AS joined_at
        FROM subscriber WHERE number_key = d.number_key
    ) n ON true
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE program_id = d.program_id) AS month,
               array_agg(handed_at) FILTER (WHERE unasked AND handed_at > :day_ago) AS unasked,
               array_agg(handed_at) FILTER (WHERE handed_at > :hour_ago) AS automatic
        FROM (
            SELECT b.program_id, b.handed_at, b.purpose <> 'follow_up' AS unasked
            FROM subscriber h JOIN delivery b ON b.subscriber_id = h.id
            WHERE h.number_key = d.number_key AND b.inbound_sid IS NULL
              AND b.purpose IN ('ask', 'follow_up', 'reminder', 'results')
              AND b.handed_at > :month_ago AND b.state NOT IN ('failed', 'cancelled')
            UNION ALL
            SELECT program_id, created_at, false FROM delivery
            WHERE number_key = d.number_key AND inbound_sid IS NOT NULL
              AND created_at > :month_ago AND state NOT IN ('failed', 'cancelled')
        ) before
    ) c ON true
    WHERE d.id = ANY(:ids) AND d.state = 'leased' AND d.leased_by = :name
    ORDER BY d.id FOR NO KEY UPDATE OF d
    """
)


async def leased_with_standing(
    session: AsyncSession, ids: Sequence[int], name: str, now: datetime
) -> dict[int, Standing]:
    """Of these texts, those still leased by ``name``, with how their people stand now.

    Hold the numbers' locks: what another process sent to a number is then counted.
    """
    values = {
        "ids": list(ids),
        "name": name,
        "month_ago": now - MONTH,
        "day_ago": now - DAY,
        "hour_ago": now - HOUR,
    }
    return {row.id: _standing(row) for row in await _LEASED.rows(session, values)}


def _standing(row: Any) -> Standing:
    return Standing(
        number=row.number,
        state=SubscriberState(row.state) if row.state else None,
        hold=row.hold,
        review=row.review,
        timezone=row.timezone,
        poll=PollState(row.poll_state) if row.poll_state else None,
        poll_closes_at=row.closes_at,
        purpose=Purpose(row.purpose),
        stopped=row.stopped,
        answered=row.answered,
        asked_since=row.asked_since,
        sent=Sent(row.month, tuple(row.unasked or ()), tuple(row.automatic or ())),
    )
