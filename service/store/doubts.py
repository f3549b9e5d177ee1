"""The ledger as staff look at it, and what they decide of texts in doubt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.deliveries import DECIDED, DeliveryState, DoubtDecision

_LIST = text(
    """
    SELECT d.id, d.state, d.reason, d.error_code, d.purpose, d.number, p.slug AS poll,
           d.created_at, d.handed_at, d.inbound_sid, d.decided_as, d.decided_by, d.decided_at
    FROM delivery d LEFT JOIN poll p ON p.id = d.poll_id
    WHERE d.state = :state AND (CAST(:poll AS text) IS NULL OR p.slug = :poll)
    ORDER BY d.id LIMIT :size
    """
)
_LOCK = text(
    """
    SELECT state, handed_at, inbound_sid FROM delivery WHERE id = :id FOR NO KEY UPDATE
    """
)
_DECIDE = text(
    """
    UPDATE delivery
    SET state = CAST(:state AS text), reason = :reason, error_code = NULL,
        decided_as = :decision, decided_by = :actor, decided_at = :now,
        not_before = CASE WHEN CAST(:state AS text) = 'ready' THEN :now ELSE not_before END,
        handed_at = CASE WHEN CAST(:state AS text) = 'ready' THEN NULL ELSE handed_at END,
        settled_at = CASE WHEN CAST(:state AS text) = 'failed' THEN :now ELSE settled_at END
    WHERE id = :id AND state = 'in_doubt'
    """
)
_DOUBTS = text(
    """
    SELECT d.program_id, d.poll_id, p.slug AS poll, count(*) AS texts,
           max(d.handed_at) AS newest
    FROM delivery d LEFT JOIN poll p ON p.id = d.poll_id
    WHERE d.state = 'in_doubt' AND d.handed_at < :before
    GROUP BY d.program_id, d.poll_id, p.slug ORDER BY d.program_id, d.poll_id
    """
)


async def list_deliveries(
    session: AsyncSession, state: DeliveryState, *, poll: str | None, size: int
) -> Sequence[Any]:
    """Texts in one state, oldest first, of one poll where its slug is given."""
    values = {"state": state.value, "poll": poll, "size": size}
    return (await session.execute(_LIST, values)).all()


async def lock_delivery(session: AsyncSession, delivery_id: int) -> Any | None:
    """How a text stands; it cannot change until the transaction ends."""
    return (await session.execute(_LOCK, {"id": delivery_id})).one_or_none()


async def decide_doubt(
    session: AsyncSession,
    delivery_id: int,
    decision: DoubtDecision,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """A person has said what became, or shall become, of a text in doubt."""
    values = {"id": delivery_id, "decision": decision.value, "state": DECIDED[decision].value}
    await session.execute(_DECIDE, {**values, "reason": reason, "actor": actor, "now": now})


async def old_doubts(session: AsyncSession, before: datetime) -> Sequence[Any]:
    """Texts handed over before ``before`` and still in doubt, by program and poll."""
    return (await session.execute(_DOUBTS, {"before": before})).all()
