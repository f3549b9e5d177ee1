"""Consent: who may be texted, and what is kept to prove it."""

from dataclasses import dataclass
from enum import StrEnum


class SubscriberState(StrEnum):
    """Where a phone number stands in one program. A stranger has no state."""

    PENDING = "pending"
    ACTIVE = "active"
    OPTED_OUT = "opted_out"
    SUSPENDED = "suspended"


class ConsentEventKind(StrEnum):
    """What an evidence row records."""

    OPT_IN = "opt_in"
    CONFIRMATION = "confirmation"
    OPT_OUT = "opt_out"
    HOLD = "hold"
    RELEASE = "release"
    SUSPENSION = "suspension"
    REJOIN = "rejoin"
    ERASURE = "erasure"


class OptOutMode(StrEnum):
    """Who answers STOP: this service, Twilio's defaults, or Twilio's Advanced Opt-Out."""

    APP = "app"
    TWILIO_DEFAULT = "twilio_default"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """One step of consent: the state it leads to and the evidence to keep.

    Attributes:
        kind: what is recorded.
        state: the subscriber's state afterwards.
        everywhere: whether it holds in every program (opt-outs do).
        campaign: campaign of the join keyword, where one brought it.
        settles: whether it ends what staff were to look at, as leaving and joining do.
    """

    kind: ConsentEventKind
    state: SubscriberState
    everywhere: bool = False
    campaign: str | None = None
    settles: bool = True
