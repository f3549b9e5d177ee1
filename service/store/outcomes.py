"""What became of texts handed over: receipts, expired leases, doubts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.store.inserts import insert_many
from service.store.quick import Statement
from service.store.tables import Receipt

_FREE_LEASES = text(
    """
    UPDATE delivery SET state = 'ready', leased_by = NULL, leased_until = NULL
    WHERE id = ANY (ARRAY(
        SELECT id FROM delivery WHERE state = 'leased' AND leased_until < :now
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ))
    """
)
_DOUBT = text(
    """
    UPDATE delivery SET state = 'in_doubt', reason = 'no outcome recorded'
    WHERE id = ANY (ARRAY(
        SELECT id FROM delivery WHERE state = 'handed' AND handed_at < :before
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ))
    """
)


# Rows that somebody has locked are just being moved: the next round looks at them again.
async def free_expired_leases(session: AsyncSession, now: datetime) -> None:
    """Texts leased by a process that is gone are due again; none of them was handed over."""
    await session.execute(_FREE_LEASES, {"now": now})


async def doubt_handed_before(session: AsyncSession, before: datetime) -> None:
    """Texts handed over before ``before`` whose outcome nobody recorded are in doubt."""
    await session.execute(_DOUBT, {"before": before})


_IN_DOUBT = text(
    """
    SELECT id, number, number_key, body, handed_at, inbound_sid FROM delivery
    WHERE state = 'in_doubt' AND id > :after ORDER BY id LIMIT :size
    """
)
_KNOWN_SIDS = text(
    "SELECT message_sid FROM delivery WHERE message_sid = ANY(CAST(:sids AS text[]))"
)


async def in_doubt(session: AsyncSession, *, after: int, size: int) -> Sequence[Any]:
    """Texts whose outcome is unknown, by key."""
    return (await session.execute(_IN_DOUBT, {"after": after, "size": size})).all()


async def known_sids(session: AsyncSession, sids: Sequence[str]) -> set[str]:
    """Which of these the ledger has already."""
    return set(await session.scalars(_KNOWN_SIDS, {"sids": list(sids)}))


_FOR_RECEIPTS = Statement(
    """
    SELECT id, state, message_sid, number, handed_at FROM delivery
    WHERE id = ANY(CAST(:ids AS bigint[])) OR message_sid = ANY(CAST(:sids AS text[]))
    ORDER BY id FOR NO KEY UPDATE
    """
)


async def lock_for_receipts(
    session: AsyncSession, ids: Sequence[int], sids: Sequence[str]
) -> Sequence[Any]:
    """Texts that receipts speak of, by our key or the carrier's."""
    return await _FOR_RECEIPTS.rows(session, {"ids": list(ids), "sids": list(sids)})


async def write_receipts(
    session: AsyncSession, rows: Sequence[dict[str, Any]]
) -> set[tuple[str, str]]:
    """Keep receipts as they came, a repeated one once; gives (sid, status) of the new ones."""
    tail = "ON CONFLICT (message_sid, status) DO NOTHING RETURNING message_sid, status"
    written = await insert_many(session, Receipt, rows, tail=tail)
    return {(row.message_sid, row.status) for row in written}
