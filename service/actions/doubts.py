"""Texts in doubt that only a person can settle: list them, tell of them, decide."""

from datetime import datetime, timedelta
from typing import Any

from service.domain.alerts import AlertKind
from service.domain.deliveries import DeliveryState, DoubtDecision
from service.domain.phone import mask
from service.errors import NotFoundError, RefusedError
from service.runtime import Runtime
from service.store import doubts
from service.store.alerts import raise_alert
from service.store.polls import find_poll

_LIST_HAD_ITS_TIME = timedelta(minutes=10)
"""So long after the settle time the carrier's list has not told: it cannot."""
_REASONS = {
    DoubtDecision.WENT: "staff: it went",
    DoubtDecision.AGAIN: "staff: send it again",
    DoubtDecision.DROP: "dropped by staff",
}


async def list_deliveries(
    runtime: Runtime, state: DeliveryState, *, poll: str | None = None, size: int = 200
) -> list[dict[str, Any]]:
    """Texts in one state, oldest first; numbers masked, no words.

    Raises:
        NotFoundError: there is no such poll.
    """
    async with runtime.sessions() as session:
        if poll is not None:
            await find_poll(session, poll)
        rows = await doubts.list_deliveries(session, state, poll=poll, size=size)
    return [
        {
            "id": row.id,
            "state": row.state,
            "reason": row.reason,
            "error_code": row.error_code,
            "purpose": row.purpose,
            "poll": row.poll,
            "number": mask(row.number),
            "created_at": row.created_at.isoformat(),
            "handed_at": _iso(row.handed_at),
            "again_from": _iso(_again_from(runtime, row)),
            "decided_as": row.decided_as,
            "decided_by": row.decided_by,
            "decided_at": _iso(row.decided_at),
        }
        for row in rows
    ]


async def settle_doubt(
    runtime: Runtime, delivery_id: int, decision: DoubtDecision, *, actor: str
) -> None:
    """Let a person decide what became of a text in doubt; who and when is kept.

    One that *went* counts as sent; a receipt may still tell more. *again* makes it due, past the
    same last look as every text. One *dropped* has failed.

    Raises:
        NotFoundError: there is no such text.
        RefusedError: it is not in doubt, or may not be sent again, or not yet.
    """
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        row = await doubts.lock_delivery(session, delivery_id)
        if row is None:
            raise NotFoundError(f"there is no text {delivery_id}")
        if row.state != DeliveryState.IN_DOUBT:
            raise RefusedError(f"text {delivery_id} is {row.state}, not in doubt")
        if decision is DoubtDecision.AGAIN:
            _check_again(runtime, delivery_id, row, now)
        await doubts.decide_doubt(
            session, delivery_id, decision, reason=_REASONS[decision], actor=actor, now=now
        )


def _check_again(runtime: Runtime, delivery_id: int, row: Any, now: datetime) -> None:
    again_from = _again_from(runtime, row)
    if again_from is None:
        raise RefusedError(f"text {delivery_id} answers a member's own; its moment is gone")
    if now < again_from:
        raise RefusedError(
            f"text {delivery_id} may still arrive; again from {again_from:%Y-%m-%d %H:%M:%S} UTC"
        )


def _again_from(runtime: Runtime, row: Any) -> datetime | None:
    """When a text in doubt may be sent again: after the settle time; an answer never."""
    if row.state != DeliveryState.IN_DOUBT or row.inbound_sid or row.handed_at is None:
        return None
    handed_at: datetime = row.handed_at
    return handed_at + timedelta(seconds=runtime.settle_seconds)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


async def watch_doubts(runtime: Runtime) -> None:
    """Raise an alert where texts stay in doubt and the carrier's list does not tell."""
    now = runtime.clock.now()
    patience = timedelta(seconds=runtime.settle_seconds) + _LIST_HAD_ITS_TIME
    async with runtime.sessions.begin() as session:
        for row in await doubts.old_doubts(session, now - patience):
            about = f"poll:{row.poll_id}" if row.poll_id else f"program:{row.program_id}"
            of_poll = f" of poll {row.poll}" if row.poll else ""
            await raise_alert(
                session,
                AlertKind.IN_DOUBT,
                about,
                f"Texts{of_poll} in doubt, and the carrier's list does not tell: {row.texts}. "
                "Decide: pollwire deliveries list",
                now=now,
                program_id=row.program_id,
                poll_id=row.poll_id,
                news_at=row.newest + patience,
            )
