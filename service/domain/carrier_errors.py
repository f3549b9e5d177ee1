"""What follows from each of the carrier's error codes: one table, whichever way a code arrives.

A code comes with the refusal of a call, in a receipt, or in the carrier's list. Its meaning may
change at the carrier, so this is data: a new code is a new line, and one that the table lacks is a
soft failure which staff are shown.

Source: Twilio, Error and Warning Dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Remedy(StrEnum):
    """What is to be done about a failed text."""

    OPT_OUT = "opt out"
    SUSPEND = "suspend"
    TRY_ONCE_MORE = "try once more"
    LEAVE = "leave"
    STOP_POLL = "stop the poll"
    SLOW_DOWN = "slow down"


@dataclass(frozen=True, slots=True)
class CarrierError:
    """One line of the table.

    Attributes:
        meaning: for staff, the end of "the carrier says: …".
        again_after: how much later one new attempt may be made, where the poll is still open;
            ``None`` for never.
        suspends_after: polls in a row that fail for such reasons until the number is suspended;
            0 where it is not the member's.
        keeps_text: a call refused with it says nothing about the text, which waits and is sent
            when the trouble is over.
        tells_staff: each poll's first one is told to the staff.
    """

    meaning: str
    remedy: Remedy
    again_after: timedelta | None = None
    suspends_after: int = 0
    keeps_text: bool = False
    tells_staff: bool = False


_HOUR, _HALF_HOUR, _TEN_MINUTES = (timedelta(minutes=minutes) for minutes in (60, 30, 10))


def _dead(meaning: str, polls: int) -> CarrierError:
    return CarrierError(meaning, Remedy.SUSPEND, suspends_after=polls)


def _soft(meaning: str, *, tells_staff: bool = False) -> CarrierError:
    return CarrierError(
        meaning,
        Remedy.TRY_ONCE_MORE,
        again_after=_HOUR,
        suspends_after=3,
        tells_staff=tells_staff,
    )


def _no_fault(meaning: str) -> CarrierError:
    return CarrierError(meaning, Remedy.LEAVE, tells_staff=True)


def _text_unfit(meaning: str) -> CarrierError:
    return CarrierError(meaning, Remedy.STOP_POLL, tells_staff=True)


def _account(meaning: str) -> CarrierError:
    return CarrierError(
        meaning, Remedy.STOP_POLL, again_after=_TEN_MINUTES, keeps_text=True, tells_staff=True
    )


def _congested(meaning: str) -> CarrierError:
    return CarrierError(
        meaning, Remedy.SLOW_DOWN, again_after=_TEN_MINUTES, keeps_text=True, tells_staff=True
    )


UNSUBSCRIBED = 21610
"""Twilio's code for a number that its own opt-out list blocks."""

TABLE: Mapping[int, CarrierError] = {
    UNSUBSCRIBED: CarrierError("the number has opted out", Remedy.OPT_OUT),
    # Refused before anything was sent: the number itself is wrong.
    21211: _dead("the number is not valid", 1),
    21614: _dead("the number is no mobile number", 1),
    21635: _dead("the number is a landline", 1),
    # From a receipt: a phone that is off can look the same once.
    30005: _dead("the number is unknown to its carrier", 2),
    30006: _dead("the number is a landline or its carrier cannot be reached", 2),
    30003: _soft("the phone cannot be reached"),
    30004: _soft("the phone or its carrier blocks the text"),
    30008: _soft("the carrier gives no reason"),
    30450: CarrierError(
        "the text looked like traffic pumping", Remedy.TRY_ONCE_MORE, again_after=_HALF_HOUR
    ),
    21612: _no_fault("there is no route from the sender to the number"),
    21408: _no_fault("the account may not send to the number's region"),
    30024: _no_fault("the sender is not provisioned at the number's carrier"),
    # Sending a filtered text again makes the filter stricter.
    30007: CarrierError("the carrier has filtered the text as unwanted", Remedy.LEAVE),
    21602: _text_unfit("the text has no body"),
    21604: _text_unfit("the text has no recipient"),
    21617: _text_unfit("the text is too long"),
    20003: _account("the account's token or key is wrong"),
    20404: _account("there is no such account"),
    21212: _account("the sender is not a valid number"),
    21603: _account("the text has no sender"),
    21606: _account("the sender cannot send texts"),
    21608: _account("a trial account sends to verified numbers only"),
    21659: _account("the sender is not the account's"),
    30002: _account("the account is suspended"),
    20429: CarrierError("too many calls at once", Remedy.SLOW_DOWN, keeps_text=True),
    21611: _congested("the sender's queue is full"),
    30001: _congested("the sender's queue is full"),
    30036: CarrierError(
        "the text expired in the queue", Remedy.SLOW_DOWN, again_after=_TEN_MINUTES
    ),
    63017: _congested("the account's limit of texts a second was passed"),
    # The carrier behind Twilio did not answer in time and may have delivered: never twice.
    30410: CarrierError("the number's carrier did not answer in time", Remedy.LEAVE),
    30500: CarrierError(
        "an error within the carrier's systems", Remedy.TRY_ONCE_MORE, again_after=_HOUR
    ),
    30021: CarrierError(
        "an error within the number's carrier", Remedy.TRY_ONCE_MORE, again_after=_HOUR
    ),
}

FILTERED = 30007
_NO_CODE = _soft("the carrier gives no reason")
_UNKNOWN = _soft("the code is not in the table", tells_staff=True)


def carrier_error(code: int | None) -> CarrierError:
    """The table's line for a code; no code, and codes it lacks, are soft failures.

    >>> carrier_error(30003).again_after
    datetime.timedelta(seconds=3600)
    >>> carrier_error(99999).tells_staff
    True
    """
    return TABLE.get(code, _UNKNOWN) if code else _NO_CODE


def described(code: int | None) -> str:
    """A failure for people.

    >>> described(30003)
    'the phone cannot be reached (code 30003)'
    """
    meaning = carrier_error(code).meaning
    return f"{meaning} (code {code})" if code else meaning


BLAMELESS = tuple(code for code, line in TABLE.items() if not line.suspends_after)
"""Codes that say nothing against a number."""
