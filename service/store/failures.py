"""Failed texts: the one new attempt at each, and how often a number has failed in a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_RETRY = text(
    """
    INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, question_id, number_key,
                          number, purpose, body, segments, state, not_before, created_at, retry_of)
    SELECT concat(d.dedupe_key, CAST(:suffix AS text)), d.program_id, d.subscriber_id, d.poll_id,
           d.question_id, d.number_key, d.number, d.purpose, d.body, d.segments, 'ready',
           CAST(:now AS timestamptz) + failed.wait, :now, d.id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:waits AS interval[])) AS failed (id, wait)
    JOIN delivery d ON d.id = failed.id AND d.id = ANY(CAST(:ids AS bigint[]))
    JOIN poll p ON p.id = d.poll_id
    WHERE d.purpose = 'ask' AND d.retry_of IS NULL AND d.state IN ('failed', 'undelivered')
      AND p.state IN ('open', 'paused')
      AND p.closes_at > CAST(:now AS timestamptz) + failed.wait
    ORDER BY d.id
    ON CONFLICT DO NOTHING
    """
)
_NEEDLESS = text(
    """
    UPDATE delivery d
    SET state = 'cancelled', reason = 'the first text arrived after all', settled_at = :now,
        leased_until = NULL, leased_by = NULL
    FROM delivery first
    WHERE d.id = ANY(CAST(:ids AS bigint[])) AND d.state = 'leased' AND first.id = d.retry_of
      AND (first.state = 'delivered'
           OR EXISTS (SELECT FROM receipt r WHERE r.message_sid = first.message_sid
                      AND r.status IN ('delivered', 'read'))
           OR EXISTS (SELECT FROM inbound_text i WHERE i.question_id = d.question_id
                      AND i.subscriber_id = d.subscriber_id))
    """
)


async def plan_retries(
    session: AsyncSession, waits: Mapping[int, timedelta], now: datetime
) -> None:
    """Write one new attempt at each of these failed texts, if its poll is still open by then.

    Only a poll's question is tried again, and only its first attempt: never a text that answers
    a member's own.

    Args:
        waits: how long to wait, by the failed text's key.
    """
    values = {"ids": list(waits), "waits": list(waits.values()), "suffix": ":again", "now": now}
    await session.execute(_RETRY, values)


async def drop_needless_retries(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Of these leased new attempts, cancel those whose first text has reached its phone after all.

    A late receipt tells it, or a reply to the question.
    """
    await session.execute(_NEEDLESS, {"ids": list(ids), "now": now})
