"""What the service needs of a carrier's API: hand over a text, and find one again."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from service.domain.diagnosis import InboundWebhook

SHORTEST_VALIDITY_SECONDS, LONGEST_VALIDITY_SECONDS = 10, 36_000
"""What Twilio takes, the shortest it recommends. Source: Message resource, ValidityPeriod."""


@dataclass(frozen=True, slots=True)
class OutboundText:
    """A text to hand over.

    Attributes:
        to: E.164.
        sender: short or long code.
        messaging_service_sid: sends through that service instead, where set.
        status_callback: absolute address that carries our delivery id.
        validity_seconds: after this the carrier drops the text instead of sending it late.
    """

    to: str
    body: str
    sender: str
    status_callback: str
    messaging_service_sid: str | None = None
    validity_seconds: int = LONGEST_VALIDITY_SECONDS


@dataclass(frozen=True, slots=True)
class TakenText:
    """A text the carrier has, as its API tells it.

    Attributes:
        status: the carrier's word for how far it is, such as ``queued``.
        error_code: why it failed, where it did.
    """

    message_sid: str
    status: str
    body: str = ""
    created_at: datetime | None = None
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class ListedText:
    """A received text as the carrier's list tells it.

    Attributes:
        number: sender, E.164.
        received_at: to the second.
    """

    message_sid: str
    number: str
    to: str
    body: str
    received_at: datetime
    messaging_service_sid: str = ""
    media_count: int = 0


@dataclass(frozen=True, slots=True)
class RefusedText:
    """A text that the carrier did not send because the number is on its own opt-out list."""

    number: str
    refused_at: datetime


class CarrierLists(Protocol):
    """What one carrier account keeps to be read again.

    Every method raises SendError when a list could not be read to its end.
    """

    async def senders_of(self, messaging_service_sid: str) -> list[str]:
        """The codes and numbers that belong to a Messaging Service."""

    async def received(self, *, to: str, since: datetime) -> list[ListedText]:
        """Texts received at or after ``since``, newest first."""

    async def refused(self, *, sender: str, since: datetime) -> list[RefusedText]:
        """Texts refused at or after ``since`` by the carrier's own opt-out list."""

    async def deactivated(self, day: date) -> list[str]:
        """Numbers, E.164, that were given up on ``day``, by the carriers' reports.

        Raises:
            RejectedError: there is no report of that day, or not yet.
        """


class SmsGateway(CarrierLists, Protocol):
    """One carrier account."""

    async def send(self, text: OutboundText) -> TakenText:
        """Hand over a text, exactly one attempt.

        Raises:
            NotTakenError: certainly not taken.
            RejectedError: refused for good.
            UnknownOutcomeError: may or may not have been taken; never try again unasked.
        """

    async def find(self, *, to: str, since: datetime) -> list[TakenText]:
        """Texts to a number that the carrier took at or after ``since``, any order.

        Raises:
            SendError: the list could not be read.
        """

    async def close(self) -> None:
        """Give up the connections."""


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """An account as its API tells it.

    Attributes:
        status: the carrier's word, ``active`` when texts may be sent.
        now: the API's clock, to the second.
    """

    name: str
    status: str
    now: datetime | None


class AccountReader(Protocol):
    """How one carrier account is set up; read by ``doctor`` only.

    Every method raises SendError (RejectedError with the vendor's code) when it cannot tell.
    """

    async def read_account(self) -> CarrierAccount:
        """The account itself."""

    async def find_sender(self, address: str) -> InboundWebhook | None:
        """Where texts to a short code or an E.164 number go; ``None`` if it is not owned."""

    async def find_messaging_service(self, sid: str) -> InboundWebhook | None:
        """Where texts to a service's senders go; ``None`` if there is no such service."""
