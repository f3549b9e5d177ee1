"""Numbers that cannot be reached: how many polls in a row failed, and taking them out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_FAILED_IN_A_ROW = text(
    """
    WITH outcome AS (
        SELECT d.subscriber_id, d.number_key, d.poll_id,
               max(coalesce(d.handed_at, d.settled_at, d.created_at)) AS at,
               bool_or(d.state IN ('accepted', 'sent', 'delivered')) AS went,
               bool_or(d.state IN ('ready', 'deferred', 'leased', 'handed', 'in_doubt')) AS waits,
               bool_or(d.state IN ('failed', 'undelivered')
                       AND (d.error_code IS NOT NULL OR d.message_sid IS NOT NULL)
                       AND coalesce(d.error_code, 0) <> ALL(CAST(:blameless AS integer[]))
                      ) AS failed
        FROM delivery d
        WHERE d.purpose = 'ask' AND d.subscriber_id = ANY(ARRAY(
            SELECT subscriber_id FROM delivery
            WHERE id = ANY(CAST(:ids AS bigint[])) AND purpose = 'ask'
        ))
        GROUP BY d.subscriber_id, d.number_key, d.poll_id
    )
    SELECT o.subscriber_id, count(*) AS polls
    FROM outcome o
    WHERE o.failed AND NOT o.went AND NOT o.waits
      AND NOT EXISTS (SELECT FROM outcome later WHERE later.subscriber_id = o.subscriber_id
                      AND later.went AND later.at > o.at)
      AND NOT EXISTS (SELECT FROM inbound_text i
                      WHERE i.number_key = o.number_key AND i.received_at > o.at)
    GROUP BY o.subscriber_id
    """
)
_LIMITS = text(
    """
    SELECT d.subscriber_id, min(failed.polls) AS polls
    FROM unnest(CAST(:ids AS bigint[]), CAST(:polls AS integer[])) AS failed (id, polls)
    JOIN delivery d ON d.id = failed.id AND d.id = ANY(CAST(:ids AS bigint[]))
    WHERE d.purpose = 'ask' AND d.subscriber_id IS NOT NULL
    GROUP BY d.subscriber_id
    """
)
_SUSPEND = text(
    """
    UPDATE subscriber SET state = 'suspended', state_at = :now
    WHERE id = ANY(CAST(:people AS bigint[])) AND state = 'active'
    RETURNING id, program_id, number_key,
              (SELECT d.error_code FROM delivery d
               WHERE d.subscriber_id = subscriber.id AND d.purpose IN ('ask', 'follow_up')
                 AND d.state IN ('failed', 'undelivered')
               ORDER BY d.id DESC LIMIT 1) AS error_code
    """
)


async def people_to_suspend(
    session: AsyncSession, limits: Mapping[int, int], *, blameless: Sequence[int]
) -> dict[int, int]:
    """Of the people whose texts have just failed, those who reached their limit; with the polls.

    A poll counts when all its texts to a person have failed, unless for a reason that is not the
    number's. One that went, or any text from the number since, begins the count anew.

    Args:
        limits: failed polls in a row until suspension, by the failed text's key.
        blameless: codes that say nothing against a number.
    """
    ids = list(limits)
    values = {"ids": ids, "polls": list(limits.values())}
    allowed = {row.subscriber_id: row.polls for row in await session.execute(_LIMITS, values)}
    found = await session.execute(_FAILED_IN_A_ROW, {"ids": ids, "blameless": list(blameless)})
    return {
        row.subscriber_id: row.polls
        for row in found
        if row.polls >= allowed.get(row.subscriber_id, row.polls + 1)
    }


async def suspend(session: AsyncSession, people: Sequence[int], now: datetime) -> Sequence[Any]:
    """Take active people out of audiences; gives those who were, with the last code.

    Hold their numbers' locks.
    """
    return (await session.execute(_SUSPEND, {"people": list(people), "now": now})).all()
