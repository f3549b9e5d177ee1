"""What staff are told of without asking."""

from enum import StrEnum


class AlertKind(StrEnum):
    """Why somebody on the staff should look."""

    LATE_POLL = "late_poll"
    EMPTY_SLOT = "empty_slot"
    AUTO_PAUSE = "auto_pause"
    IN_DOUBT = "in_doubt"
    HOLDS_LAPSING = "holds_lapsing"
    CARRIER_REFUSAL = "carrier_refusal"
