"""Whose turn it is: due texts by poll, claims with a lease, and the rate that all share."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.store.quick import Statement


@dataclass(frozen=True, slots=True)
class Source:
    """Due texts of one kind.

    Attributes:
        poll_id: ``None`` for what comes before polls: answers to members' own texts, alerts.
        free_at: when the sender's rate has room again; ``None`` where it never sent.
    """

    program_id: int
    poll_id: int | None
    free_at: datetime | None


# Polls with texts that wait are found by hopping from one to the next along the index, so neither
# a million rows of one nor those of a paused one are walked.
_DUE = Statement(
    """
    WITH RECURSIVE waiting AS (
        (SELECT poll_id FROM delivery
         WHERE state IN ('ready', 'deferred') AND poll_id IS NOT NULL ORDER BY poll_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.poll_id FROM delivery d
                WHERE d.state IN ('ready', 'deferred') AND d.poll_id > waiting.poll_id
                ORDER BY d.poll_id LIMIT 1)
        FROM waiting WHERE waiting.poll_id IS NOT NULL
    ), due AS (
        SELECT DISTINCT program_id, CAST(NULL AS bigint) AS poll_id FROM delivery
        WHERE state IN ('ready', 'deferred') AND (poll_id IS NULL OR inbound_sid IS NOT NULL)
          AND not_before <= :now
        UNION ALL
        SELECT p.program_id, p.id FROM waiting JOIN poll p ON p.id = waiting.poll_id
        WHERE p.state <> 'paused'
          AND EXISTS (SELECT FROM delivery d WHERE d.poll_id = p.id
                      AND d.state IN ('ready', 'deferred') AND d.not_before <= :now)
    )
    SELECT due.program_id, due.poll_id, r.next_at AS free_at
    FROM due JOIN program g ON g.id = due.program_id LEFT JOIN rate_slot r ON r.sender = g.sender
    ORDER BY due.poll_id IS NOT NULL, due.program_id, due.poll_id
    """
)


async def due_sources(session: AsyncSession, now: datetime) -> list[Source]:
    """Where texts are due, answers first; paused polls are left out."""
    return [Source(*row) for row in await _DUE.rows(session, {"now": now})]


@dataclass(frozen=True, slots=True)
class ClaimedText:
    """A text this process holds the lease of.

    Attributes:
        inbound_sid: the member's text that it answers, where it does.
        expires_at: set when it is handed over, where it expires.
        handed_at: when it was marked *handed*, as of then.
    """

    id: int
    program_id: int
    number_key: bytes
    number: str
    body: str
    segments: int
    attempts: int
    retry_of: int | None = None
    inbound_sid: str | None = None
    expires_at: datetime | None = None
    handed_at: datetime | None = None


_CLAIM = """
    UPDATE delivery SET state = 'leased', leased_until = :until, leased_by = :name
    WHERE id = ANY (ARRAY(
        SELECT id FROM delivery
        WHERE state IN ('ready', 'deferred') AND {whose} AND not_before <= :now
        ORDER BY not_before, id LIMIT :size
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, program_id, number_key, number, body, segments, attempts, retry_of, inbound_sid
    """
_CLAIM_POLL = Statement(_CLAIM.format(whose="poll_id = :poll"))
_CLAIM_FIRST = Statement(
    _CLAIM.format(whose="program_id = :program AND (poll_id IS NULL OR inbound_sid IS NOT NULL)")
)


async def claim(
    session: AsyncSession,
    source: Source,
    *,
    name: str,
    now: datetime,
    lease: timedelta,
    size: int,
) -> list[ClaimedText]:
    """Lease up to ``size`` due texts of one source, oldest first."""
    values = {"name": name, "now": now, "until": now + lease, "size": size}
    if source.poll_id is None:
        rows = await _CLAIM_FIRST.rows(session, values | {"program": source.program_id})
    else:
        rows = await _CLAIM_POLL.rows(session, values | {"poll": source.poll_id})
    return sorted((ClaimedText(*row) for row in rows), key=lambda claimed: claimed.id)


_LOCK_RATE = Statement("SELECT next_at FROM rate_slot WHERE sender = :sender FOR NO KEY UPDATE")
_FIRST_RATE = Statement(
    "INSERT INTO rate_slot (sender, next_at) VALUES (:sender, :now) ON CONFLICT DO NOTHING"
)


async def lock_rate(session: AsyncSession, sender: str, now: datetime) -> datetime:
    """When a sender's rate has room; nobody changes that before the transaction ends."""
    rows = await _LOCK_RATE.rows(session, {"sender": sender})
    if not rows:
        await _FIRST_RATE.rows(session, {"sender": sender, "now": now})
        rows = await _LOCK_RATE.rows(session, {"sender": sender})
    next_at: datetime = rows[0].next_at
    return next_at


_CREDIT = timedelta(seconds=0.05)
"""Of the rate that a moment's standstill left unused, so much may be made up for."""
_RESERVE = Statement(
    """
    UPDATE rate_slot SET next_at = CAST(:cost AS interval) + greatest(
        least(next_at, CAST(:now AS timestamptz) + interval '5 minutes'), :earliest)
    WHERE sender = :sender
    RETURNING next_at
    """
)


async def reserve_rate(
    session: AsyncSession, sender: str, *, segments: int, rate: int, now: datetime
) -> datetime:
    """When ``segments`` may begin to go out; the next caller's turn is after them.

    That may be a moment ago: then they go a little faster than the rate.
    """
    cost = timedelta(seconds=segments / rate)
    values = {"sender": sender, "now": now, "earliest": now - _CREDIT, "cost": cost}
    (row,) = await _RESERVE.rows(session, values)
    next_at: datetime = row.next_at
    return next_at - cost


_RETURN = Statement(
    "UPDATE rate_slot SET next_at = next_at - CAST(:cost AS interval) WHERE sender = :sender"
)


async def return_rate(session: AsyncSession, sender: str, *, segments: int, rate: int) -> None:
    """What was reserved for ``segments`` that did not leave is free again."""
    await _RETURN.rows(session, {"sender": sender, "cost": timedelta(seconds=segments / rate)})
