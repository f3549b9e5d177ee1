r"""The ledger's states in one pure table: every outbound text is a row that moves along it.

::

    ready -> leased -> handed -> accepted -> sent -> delivered
      |         |         |          \--------\----> undelivered | failed
      |         |         \-> in_doubt -> (healed by callback or list) | ready
      \-> deferred, cancelled
"""

from collections.abc import Mapping
from enum import StrEnum


class DeliveryState(StrEnum):
    """How far a text has come. *Sent* in a funnel means ``accepted`` or later."""

    READY = "ready"
    DEFERRED = "deferred"
    LEASED = "leased"
    HANDED = "handed"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"


class DoubtDecision(StrEnum):
    """What staff say of a text in doubt: it went, send it again, or let it be."""

    WENT = "went"
    AGAIN = "again"
    DROP = "drop"


class Purpose(StrEnum):
    """Why a text is sent; also the name of its wording."""

    ASK = "ask"
    FOLLOW_UP = "follow_up"
    CONFIRMATION = "confirmation"
    DOUBLE_OPT_IN = "double_opt_in"
    ALREADY_IN = "already_in"
    HELP = "help"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    COUNTED = "counted"
    CHANGED = "changed"
    UNCLEAR = "unclear"
    LATE = "late"
    CLOSED = "closed"
    REMINDER = "reminder"
    RESULTS = "results"
    ALERT = "alert"


UNASKED = frozenset({Purpose.ASK, Purpose.REMINDER, Purpose.RESULTS})
"""Texts that nobody asked for just now: the gate looks at each before it leaves."""

_S = DeliveryState
WAITING = frozenset({_S.READY, _S.DEFERRED, _S.LEASED})
"""Not handed over: a STOP, a pause or a closing can still stop these."""
SENT_STATES = frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED})
"""The carrier has taken the text."""
FINAL = frozenset({_S.DELIVERED, _S.FAILED, _S.CANCELLED})
BEST_FIRST = (
    *(_S.DELIVERED, _S.SENT, _S.ACCEPTED, _S.UNDELIVERED),
    *(_S.HANDED, _S.IN_DOUBT, _S.LEASED, _S.READY, _S.DEFERRED, _S.FAILED, _S.CANCELLED),
)
"""Of two attempts at one text, the one further to the front is what became of the person."""

_TAKEN = frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED})
"""News from the carrier; it counts in every state before, for an earlier attempt may have
arrived after all (a row made ready again must not then be sent twice)."""

MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    _S.READY: frozenset({_S.LEASED, _S.DEFERRED, _S.CANCELLED}) | _TAKEN,
    _S.DEFERRED: frozenset({_S.LEASED, _S.READY, _S.CANCELLED}) | _TAKEN,
    _S.LEASED: frozenset({_S.HANDED, _S.READY, _S.DEFERRED, _S.CANCELLED}) | _TAKEN,
    _S.HANDED: frozenset({_S.IN_DOUBT, _S.READY, _S.CANCELLED}) | _TAKEN,
    _S.IN_DOUBT: frozenset({_S.READY, _S.CANCELLED}) | _TAKEN,
    _S.ACCEPTED: frozenset({_S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED, _S.CANCELLED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
    _S.UNDELIVERED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}

DECIDED: Mapping[DoubtDecision, DeliveryState] = {
    DoubtDecision.WENT: _S.ACCEPTED,
    DoubtDecision.AGAIN: _S.READY,
    DoubtDecision.DROP: _S.FAILED,
}
"""Where a text in doubt goes when staff decide; one that went counts as sent in the funnel."""

_RECEIPTS: Mapping[str, DeliveryState] = {
    "accepted": _S.ACCEPTED,
    "scheduled": _S.ACCEPTED,
    "queued": _S.ACCEPTED,
    "sending": _S.ACCEPTED,
    "sent": _S.SENT,
    "delivered": _S.DELIVERED,
    "read": _S.DELIVERED,
    "partially_delivered": _S.UNDELIVERED,
    "undelivered": _S.UNDELIVERED,
    "failed": _S.FAILED,
    "canceled": _S.CANCELLED,
}


def receipt_state(status: str) -> DeliveryState | None:
    """State that a Twilio message status stands for; ``None`` for a status not known here.

    Source: Twilio, Message resource, status values.
    """
    return _RECEIPTS.get(status)


def advance(state: DeliveryState, towards: DeliveryState) -> DeliveryState:
    """The state after news of ``towards``: moves that the table lacks change nothing.

    Receipts may come late, twice or out of order, so going back is not an error.

    >>> advance(DeliveryState.SENT, DeliveryState.ACCEPTED).value
    'sent'
    """
    return towards if towards in MOVES[state] else state
