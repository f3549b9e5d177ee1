"""The account's message log: what a message is and how it is found again."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from emulator.clock import Clock, iso8601, rfc2822
from emulator.segments import count_segments

API_VERSION = "2010-04-01"
CANCELABLE = frozenset({"accepted", "queued", "scheduled"})
PRICE_OF_SEGMENT = 0.0083


@dataclass(slots=True)
class Message:
    """One text in either direction.

    ``position`` is its place in the order of acceptance, from 1;
    ``unreported`` holds the statuses whose receipts are still to be posted;
    ``told`` is set when the first has been. ``webhook`` is how the product
    answered an inbound text.
    """

    sid: str
    direction: str
    to: str
    sender: str
    body: str
    status: str
    created_at: float
    updated_at: float
    sent_at: float | None = None
    num_segments: int = 1
    num_media: int = 0
    error_code: int | None = None
    messaging_service_sid: str | None = None
    status_callback: str = ""
    position: int = 0
    deleted: bool = False
    unreported: list[str] = field(default_factory=list)
    told: asyncio.Event | None = None
    webhook: dict[str, object] | None = None

    def resource(self, account_sid: str) -> dict[str, object]:
        """The message as Twilio's REST API shows it."""
        uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}"
        priced = self.status in {"sent", "delivered", "undelivered", "received"}
        return {
            "account_sid": account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": str(self.num_media),
            "num_segments": "0" if self.status == "accepted" else str(self.num_segments),
            "price": f"-{PRICE_OF_SEGMENT * self.num_segments:.5f}" if priced else None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }

    def row(self) -> dict[str, object]:
        """The message as the control API's log shows it."""
        return {
            "n": self.position,
            "sid": self.sid,
            "direction": self.direction,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": self.status,
            "error_code": self.error_code,
            "at": iso8601(self.created_at),
            "status_callback": self.status_callback,
            "webhook": self.webhook,
        }


def new_sid(prefix: str = "SM") -> str:
    """A fresh identifier; never seeded, for a product's database outlives an emulator."""
    return prefix + secrets.token_hex(16)


class MessageLog:
    """Every message in the order of acceptance, with the look-ups the edges need."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: list[Message] = []
        self._by_sid: dict[str, Message] = {}
        self._by_to: defaultdict[str, list[Message]] = defaultdict(list)

    def add(
        self,
        direction: str,
        to: str,
        sender: str,
        body: str,
        status: str,
        *,
        sid: str = "",
        num_media: int = 0,
        messaging_service_sid: str | None = None,
        status_callback: str = "",
    ) -> Message:
        """Accepts a message and gives it its place."""
        now = self._clock.now()
        message = Message(
            sid=sid or new_sid("MM" if num_media else "SM"),
            direction=direction,
            to=to,
            sender=sender,
            body=body,
            status=status,
            created_at=now,
            updated_at=now,
            sent_at=now if direction == "inbound" else None,
            num_segments=count_segments(body),
            num_media=num_media,
            messaging_service_sid=messaging_service_sid,
            status_callback=status_callback,
            position=len(self._all) + 1,
        )
        self._all.append(message)
        self._by_sid[message.sid] = message
        self._by_to[to].append(message)
        return message

    def find(self, sid: str) -> Message | None:
        """The message of that sid, unless it was deleted."""
        message = self._by_sid.get(sid)
        return None if message is None or message.deleted else message

    def change(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Moves a message to another status and dates the move."""
        message.status = status
        message.error_code = error_code
        message.updated_at = self._clock.now()
        if status == "sent":
            message.sent_at = message.updated_at

    def newest_first(self, to: str = "") -> Iterator[Message]:
        """Messages that were not deleted; only those to one number if given."""
        chosen = self._by_to.get(to, []) if to else self._all
        return (message for message in reversed(chosen) if not message.deleted)

    def oldest_first(self, to: str = "") -> Iterator[Message]:
        """The same the other way round."""
        chosen = self._by_to.get(to, []) if to else self._all
        return (message for message in chosen if not message.deleted)

    def rows_after(self, position: int, limit: int) -> list[dict[str, object]]:
        """What was accepted after that place, deleted or not."""
        return [message.row() for message in islice(self._all, position, position + limit)]
