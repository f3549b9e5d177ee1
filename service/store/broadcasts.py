"""Broadcasts: their frozen words, and the people of each, written to the ledger in chunks."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.domain.deliveries import Purpose
from service.store.tables import Broadcast, Poll


async def save_broadcast(
    session: AsyncSession, poll_id: int, purpose: Purpose, texts: Mapping[str, Any]
) -> None:
    """Freeze the words of a broadcast that has not begun."""
    values = {"poll_id": poll_id, "purpose": purpose, "texts": dict(texts)}
    statement = insert(Broadcast).values(**values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["poll_id", "purpose"], set_={"texts": statement.excluded.texts}
        )
    )


async def find_broadcast(session: AsyncSession, poll_id: int, purpose: Purpose) -> Broadcast | None:
    """A poll's broadcast of this purpose; hold the poll's row to change it."""
    return await session.scalar(
        select(Broadcast).where(
            col(Broadcast.poll_id) == poll_id, col(Broadcast.purpose) == purpose
        )
    )


_CHUNK = """
    WITH chunk AS (
        SELECT id, number_key, number, hold, review, language FROM subscriber
        WHERE program_id = :program AND state = 'active' AND id > :after AND id <= :until
        ORDER BY id LIMIT :size
    ), written AS (
        INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, question_id,
                              number_key, number, purpose, body, segments, state, not_before,
                              created_at)
        SELECT concat(CAST(:prefix AS text), c.id, chr(58), '{purpose}'), :program, c.id,
               {poll}, c.number_key, c.number, '{purpose}', w.said ->> 'body',
               CAST(w.said ->> 'segments' AS integer), 'ready', :now, :now
        FROM chunk c
        CROSS JOIN LATERAL (
            SELECT coalesce(CAST(:texts AS jsonb) -> c.language, CAST(:texts AS jsonb) -> 'en')
        ) AS w (said)
        WHERE NOT c.hold AND NOT c.review AND {wanted}
        ORDER BY c.id
        ON CONFLICT (dedupe_key) DO NOTHING
    )
    SELECT max(id) AS last_id, count(*) AS people FROM chunk
    """
_ANSWERED = """EXISTS (
            SELECT FROM answer a
            WHERE a.question_id = :question AND a.subscriber_id = c.id AND NOT a.void
        )"""
# The question went, with the first attempt or with the new one (``:again``), and was the last thing
# asked. While the new one waits it will do the reminder's work.
_ASKED_AND_SILENT = f"""EXISTS (
            SELECT FROM delivery d
            WHERE d.dedupe_key = ANY (ARRAY[
                      concat(CAST(:prefix AS text), c.id, chr(58), 'ask'),
                      concat(CAST(:prefix AS text), c.id, chr(58), 'ask', chr(58), 'again')
                  ])
              AND d.state IN ('accepted', 'sent', 'delivered', 'undelivered')
              AND NOT EXISTS (
                  SELECT FROM delivery n
                  WHERE n.subscriber_id = c.id AND n.purpose IN ('ask', 'follow_up')
                    AND n.handed_at > d.handed_at AND n.retry_of IS DISTINCT FROM d.id
                    AND n.state <> 'failed'
              )
        ) AND NOT EXISTS (
            SELECT FROM delivery w
            WHERE w.dedupe_key
                  = concat(CAST(:prefix AS text), c.id, chr(58), 'ask', chr(58), 'again')
              AND w.state IN ('ready', 'deferred', 'leased', 'handed', 'in_doubt')
        ) AND NOT {_ANSWERED}"""
_STATEMENTS = {
    Purpose.REMINDER: text(
        _CHUNK.format(purpose="reminder", poll=":poll, :question", wanted=_ASKED_AND_SILENT)
    ),
    Purpose.RESULTS: text(_CHUNK.format(purpose="results", poll=":poll, NULL", wanted=_ANSWERED)),
}


async def broadcast_chunk(
    session: AsyncSession,
    broadcast: Broadcast,
    poll: Poll,
    question_id: int,
    *,
    size: int,
    now: datetime,
) -> tuple[int | None, int]:
    """Write a broadcast's next texts; gives the last subscriber's key and how many were seen.

    A reminder is for those who were sent the first question, have not answered it and have not
    been asked anything since; a results text for those whose answer to it counts.
    """
    purpose = Purpose(broadcast.purpose)
    first_question = "q1:" if purpose is Purpose.REMINDER else ""
    values: dict[str, Any] = {
        "program": poll.program_id,
        "after": broadcast.after_id,
        "until": poll.audience_limit_id,
        "size": size,
        "prefix": f"poll:{poll.id}:{first_question}s",
        "question": question_id,
        "texts": json.dumps(broadcast.texts),
        "now": now,
        "poll": poll.id,
    }
    row = (await session.execute(_STATEMENTS[purpose], values)).one()
    return row.last_id, row.people
