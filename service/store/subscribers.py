"""Subscribers and the numbers that said stop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import ConsentEventKind
from service.store.inserts import insert_many
from service.store.review import settle_numbers
from service.store.tables import ConsentEvent, Subscriber

_UPSERT = """
    ON CONFLICT (program_id, number_key) DO UPDATE
    SET state = EXCLUDED.state, hold = EXCLUDED.hold, review = EXCLUDED.review,
        campaign = coalesce(EXCLUDED.campaign, subscriber.campaign),
        state_at = CASE WHEN subscriber.state = EXCLUDED.state
                        THEN subscriber.state_at ELSE EXCLUDED.state_at END
    RETURNING id, program_id, number_key
"""


async def write_subscribers(
    session: AsyncSession, rows: Sequence[dict[str, Any]]
) -> dict[tuple[int, bytes], int]:
    """Store subscribers as they now stand; gives their keys by program and number key."""
    written = await insert_many(session, Subscriber, rows, tail=_UPSERT)
    return {(row.program_id, row.number_key): row.id for row in written}


_REMEMBER_STOP = text(
    """
    INSERT INTO opt_out (number_key, first_at, last_at)
    SELECT key, :now, :now FROM unnest(CAST(:keys AS bytea[])) AS key ORDER BY key
    ON CONFLICT (number_key) DO UPDATE SET last_at = EXCLUDED.last_at
    """
)
_STOP_EVERYWHERE = text(
    """
    UPDATE subscriber SET state = 'opted_out', state_at = :now, hold = false, review = false
    WHERE number_key = ANY(CAST(:keys AS bytea[])) AND state <> 'opted_out'
    """
)
_CANCEL_WAITING = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT d.id FROM subscriber s JOIN delivery d ON d.subscriber_id = s.id
        WHERE s.number_key = ANY(CAST(:keys AS bytea[]))
          AND d.purpose IN ('ask', 'follow_up', 'reminder', 'results')
          AND d.state IN ('ready', 'deferred', 'leased')
        ORDER BY d.id FOR NO KEY UPDATE OF d
    )
    UPDATE delivery SET state = 'cancelled', reason = 'opted out', settled_at = :now
    WHERE id = ANY (ARRAY(SELECT id FROM waiting))
    """
)


async def opt_out_everywhere(session: AsyncSession, keys: Sequence[bytes], now: datetime) -> None:
    """These numbers are out of every program, and what was queued for them dies.

    Hold the numbers' locks: an opt-out and a send to one number cannot pass each other.
    """
    if not keys:
        return
    stopped = sorted(set(keys))
    values = {"keys": stopped, "now": now}
    await session.execute(_REMEMBER_STOP, values)
    await session.execute(_STOP_EVERYWHERE, values)
    await session.execute(_CANCEL_WAITING, values)
    await settle_numbers(session, stopped, by="opt-out", now=now)


async def write_consent(session: AsyncSession, events: Sequence[dict[str, Any]]) -> None:
    """Append evidence."""
    await insert_many(session, ConsentEvent, events)


def consent_event(
    *,
    number_key: bytes,
    kind: ConsentEventKind,
    medium: str,
    actor: str,
    rule: str,
    now: datetime,
    program_id: int | None = None,
    **details: Any,
) -> dict[str, Any]:
    """One evidence row; ``details`` are columns of its table."""
    blank = {"campaign": None, "wording": "", "wording_hash": "", "raw_words": ""}
    return {
        "number_key": number_key,
        "program_id": program_id,
        "kind": kind.value,
        "medium": medium,
        **blank,
        "message_sid": None,
        "actor": actor,
        "rule": rule,
        "occurred_at": now,
        **details,
    }


_HISTORY = text(
    """
    SELECT e.*, p.slug AS program FROM consent_event e LEFT JOIN program p ON p.id = e.program_id
    WHERE e.number_key = :key ORDER BY e.id
    """
)
_STANDING = text(
    """
    SELECT s.*, p.slug AS program FROM subscriber s JOIN program p ON p.id = s.program_id
    WHERE s.number_key = :key ORDER BY s.program_id
    """
)
_UNASKED = text(
    """
    SELECT d.*, l.slug AS poll FROM subscriber s
    JOIN delivery d ON d.subscriber_id = s.id AND d.purpose IN ('ask', 'reminder', 'results')
    LEFT JOIN poll l ON l.id = d.poll_id
    WHERE s.number_key = :key ORDER BY d.id DESC LIMIT :most
    """
)
_STOPPED = text("SELECT first_at, last_at FROM opt_out WHERE number_key = :key")


async def person(
    session: AsyncSession, number_key: bytes
) -> tuple[Sequence[Any], Sequence[Any], Any | None]:
    """Rows in each program, consent history, and the opt-out, of one number."""
    values = {"key": number_key}
    return (
        (await session.execute(_STANDING, values)).all(),
        (await session.execute(_HISTORY, values)).all(),
        (await session.execute(_STOPPED, values)).one_or_none(),
    )


async def unasked_texts(session: AsyncSession, number_key: bytes, most: int) -> Sequence[Any]:
    """The newest texts of one number that it had not asked for, with what the gate saw."""
    values = {"key": number_key, "most": most}
    return (await session.execute(_UNASKED, values)).all()
