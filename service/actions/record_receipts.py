"""Take in status callbacks: in any order, repeated, before our own record of the sending."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.failures import Failure, settle_failures
from service.actions.opt_out import Refusal, record_carrier_opt_outs
from service.domain.carrier_errors import UNSUBSCRIBED
from service.domain.deliveries import DeliveryState, advance, receipt_state
from service.domain.phone import lock_key
from service.runtime import Runtime
from service.store.deliveries import Move, move
from service.store.engine import once_more_if_disconnected
from service.store.outcomes import lock_for_receipts, write_receipts
from service.store.quick import quick_transaction

_FAILURES = frozenset({"failed", "undelivered"})


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """A status callback.

    Attributes:
        delivery_id: our key, where the callback's address carried it.
        number: the recipient, E.164.
    """

    message_sid: str
    status: str
    number: str
    delivery_id: int | None = None
    error_code: int | None = None


async def record_receipts(
    runtime: Runtime,
    receipts: Sequence[ReceivedReceipt],
    *,
    committing: Callable[[], None] = lambda: None,
) -> list[None]:
    """Keep ``receipts`` and move their texts forward, never back.

    Args:
        committing: called when nothing but the commit is left.
    """

    async def whole() -> list[None]:
        locks = [lock_key(runtime.key_of(r.number)) for r in _failing(receipts)]
        async with quick_transaction(runtime.sessions, locks, committing=committing) as session:
            await _record(runtime, session, receipts)
            return [None] * len(receipts)

    return await once_more_if_disconnected(whole)


async def _record(
    runtime: Runtime, session: AsyncSession, receipts: Sequence[ReceivedReceipt]
) -> None:
    now = runtime.clock.now()
    rows = await lock_for_receipts(
        session,
        [r.delivery_id for r in receipts if r.delivery_id is not None],
        [r.message_sid for r in receipts],
    )
    by_id = {row.id: row for row in rows}
    by_sid = {row.message_sid: row for row in rows if row.message_sid}
    concerning: dict[int, list[ReceivedReceipt]] = defaultdict(list)
    kept, handed_at = {}, {}
    for receipt in receipts:
        row = by_sid.get(receipt.message_sid)
        if row is None and receipt.delivery_id in by_id:
            candidate = by_id[receipt.delivery_id]
            # A row that has another sid already was sent by another call: not this one's.
            row = candidate if candidate.message_sid in (None, receipt.message_sid) else None
        if row is not None:
            concerning[row.id].append(receipt)
            handed_at[receipt.message_sid] = row.handed_at
        kept[receipt.message_sid, receipt.status] = {
            "delivery_id": row.id if row is not None else None,
            "message_sid": receipt.message_sid,
            "status": receipt.status,
            "error_code": receipt.error_code,
            "received_at": now,
        }
    moved = (_moved(by_id[key].state, key, news) for key, news in concerning.items())
    moves = [one for one in moved if one is not None]
    await move(session, moves, now, locked=True)
    await settle_failures(session, _failures(moves, concerning), now)
    new = await write_receipts(session, [kept[key] for key in sorted(kept)])
    # A repeated receipt is old news: the member may have come back since.
    blocked = [
        Refusal(r.number, runtime.key_of(r.number), handed_at.get(r.message_sid))
        for r in _refused(receipts)
        if (r.message_sid, r.status) in new
    ]
    await record_carrier_opt_outs(session, blocked, now)


def _refused(receipts: Sequence[ReceivedReceipt]) -> list[ReceivedReceipt]:
    return [r for r in receipts if r.error_code == UNSUBSCRIBED and r.number]


def _failing(receipts: Sequence[ReceivedReceipt]) -> list[ReceivedReceipt]:
    return [r for r in receipts if r.number and (r.status in _FAILURES or r in _refused([r]))]


def _failures(
    moves: Sequence[Move], concerning: Mapping[int, Sequence[ReceivedReceipt]]
) -> list[Failure]:
    """The texts that these receipts ended in failure; one that arrived in part is none."""
    return [
        Failure(one.id, one.error_code)
        for one in moves
        if one.state in (DeliveryState.FAILED, DeliveryState.UNDELIVERED)
        and any(receipt.status in _FAILURES for receipt in concerning[one.id])
    ]


def _moved(stored: str, key: int, receipts: Sequence[ReceivedReceipt]) -> Move | None:
    """Where these receipts take a text, or ``None`` where they tell nothing new."""
    state = before = DeliveryState(stored)
    error_code = None
    for receipt in receipts:
        towards = receipt_state(receipt.status)
        if towards is not None and advance(state, towards) is not state:
            state = advance(state, towards)
            error_code = receipt.error_code
    if state is before:
        return None
    return Move(key, state, message_sid=receipts[0].message_sid, error_code=error_code)
