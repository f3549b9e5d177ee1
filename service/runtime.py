"""What every action is given: one frozen bundle, made at start, never global."""

from dataclasses import dataclass

from service.clock import Clock
from service.domain.phone import number_key
from service.notify import Notifier
from service.sms.gateway import SmsGateway
from service.store.catalog import Catalog
from service.store.engine import Sessions

_TRY_AGAIN = "#rc=5&rp=5xx,ct,rt"
"""Twilio's connection override: repeat on 5xx, failed connections and time-outs, five times."""


@dataclass(frozen=True)
class Runtime:
    """The means of one process.

    Attributes:
        catalog: programs and polls as last read.
        gateway: ``None`` where no carrier account is configured.
        notifier: ``None`` where the staff have no webhook for alerts.
        number_secret: HMAC key of numbers.
        public_base_url: address that Twilio and members see, without a slash at the end.
        send_rate: segments a second over all workers; ``None`` takes the program's.
        send_concurrency: calls to the carrier in flight in this process.
        settle_seconds: how long the outcome of a text may stay unknown at the carrier.
        auto_pause_percent: a poll pauses by itself when more of its texts fail.
        name: tells this process from others in leases.
    """

    sessions: Sessions
    clock: Clock
    catalog: Catalog
    number_secret: bytes
    public_base_url: str
    gateway: SmsGateway | None = None
    notifier: Notifier | None = None
    send_rate: int | None = None
    send_concurrency: int = 25
    settle_seconds: float = 900
    auto_pause_percent: int = 20
    name: str = "process"

    def key_of(self, number: str) -> bytes:
        """Look-up key of an E.164 number."""
        return number_key(self.number_secret, number)

    def status_callback(self, delivery_id: int) -> str:
        """Address for the receipts of one delivery, asking for patience while we restart."""
        return f"{self.public_base_url}/webhooks/twilio/status?delivery={delivery_id}{_TRY_AGAIN}"
