"""One call to the carrier: made in time or not at all, and what became of it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from service.actions.call_slots import CallSlots
from service.domain.deliveries import DeliveryState, receipt_state
from service.domain.programs import Program
from service.errors import NotTakenError, RejectedError, SendError
from service.runtime import Runtime
from service.sms.gateway import (
    LONGEST_VALIDITY_SECONDS,
    SHORTEST_VALIDITY_SECONDS,
    OutboundText,
    SmsGateway,
)
from service.store.deliveries import Move
from service.store.turns import ClaimedText

_SHARE_OF_SETTLE_TIME = 1 / 6
"""In which a call must begin; with the shortest settle time the rest is what a call may last."""


async def call_carrier(
    runtime: Runtime,
    gateway: SmsGateway,
    program: Program,
    text: ClaimedText,
    slots: CallSlots,
    mark: int,
    at: datetime,
) -> Move | None:
    """Make one call at ``at``; ``None`` where that came too late for it to be made.

    Args:
        slots: of which one is given back.
        mark: what ``slots`` said before the turn's first call.
    """
    try:
        await sleep_until(runtime, at)
        if _is_too_late(runtime, text):
            return None
        taken = await gateway.send(
            OutboundText(
                to=text.number,
                body=text.body,
                sender=program.sender,
                messaging_service_sid=program.messaging_service_sid,
                status_callback=runtime.status_callback(text.id),
                validity_seconds=_validity_seconds(runtime, text),
            )
        )
        slots.note(None, mark)
    except SendError as error:
        slots.note(error, mark)
        return _after_error(runtime, text, error)
    finally:
        slots.give_back()
    state = receipt_state(taken.status) or DeliveryState.ACCEPTED
    return Move(text.id, state, message_sid=taken.message_sid, attempted=True)


def _is_too_late(runtime: Runtime, text: ClaimedText) -> bool:
    """Whether the moment for the call is gone.

    It might end after the settle time, when others may have sent the text; or its hours are over.
    So it is when this process, or its machine, stood still after the text was marked *handed*.
    """
    if text.handed_at is None:
        return False
    now = runtime.clock.now()
    if text.expires_at is not None and now >= text.expires_at:
        return True
    latest = timedelta(seconds=runtime.settle_seconds * _SHARE_OF_SETTLE_TIME)
    return now - text.handed_at > latest


def _validity_seconds(runtime: Runtime, text: ClaimedText) -> int:
    """How long the carrier may keep the text in its queue, within what its API allows."""
    if text.expires_at is None:
        return LONGEST_VALIDITY_SECONDS
    left = int((text.expires_at - runtime.clock.now()).total_seconds())
    return max(SHORTEST_VALIDITY_SECONDS, min(left, LONGEST_VALIDITY_SECONDS))


def _after_error(runtime: Runtime, text: ClaimedText, error: SendError) -> Move:
    # Told so late that the text was handed over anew, this says nothing of that call.
    move = Move(
        text.id,
        DeliveryState.IN_DOUBT,
        str(error),
        attempted=True,
        handed_at=text.handed_at,
    )
    if isinstance(error, NotTakenError):
        wait = timedelta(seconds=error.retry_after_seconds * 2 ** min(text.attempts, 6))
        return replace(
            move,
            state=DeliveryState.READY,
            error_code=error.code or None,
            not_before=runtime.clock.now() + wait,
        )
    if isinstance(error, RejectedError):
        return replace(move, state=DeliveryState.FAILED, error_code=error.code)
    return move


async def sleep_until(runtime: Runtime, moment: datetime) -> None:
    """Wait for ``moment`` by the shared clock."""
    wait = (moment - runtime.clock.now()).total_seconds()
    if wait > 0:
        await asyncio.sleep(wait)
