"""The carrier: takes outbound texts to phones and moves them through their states."""

import asyncio
from hashlib import blake2b
from random import Random
from typing import Final

from emulator.messages import CANCELABLE, Message, MessageLog
from emulator.phonebook import Phone, Phonebook
from emulator.receipts import ReceiptSender
from emulator.settings import Settings

UNDELIVERED_CODES: Final = (30003, 30005, 30006)
BLOCKED: Final = 21610
VALIDITY_EXPIRED: Final = 30036
QUEUE_OVERFLOW: Final = 30001


def unreachable_code(seed: int, number: str, share: float) -> int | None:
    """Why a number cannot be reached, or None; the same for the same seed and number."""
    digest = blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big")
    if drawn / 2**64 >= share:
        return None
    return UNDELIVERED_CODES[drawn % len(UNDELIVERED_CODES)]


class Carrier:
    """Delivers what was accepted, each text after its own delay."""

    def __init__(
        self, settings: Settings, log: MessageLog, phonebook: Phonebook, receipts: ReceiptSender
    ) -> None:
        self._settings = settings
        self._log = log
        self._phonebook = phonebook
        self._receipts = receipts
        self._random = Random(settings.seed)
        self._sender_free_at = 0.0
        self._longest_wait = settings.queue_seconds
        self.in_transit = 0

    @property
    def is_full(self) -> bool:
        """Whether as much waits here as a carrier would queue."""
        queued = self.in_transit + self._receipts.waiting
        return queued >= self._settings.queue_limit or self._wait_seconds() >= self._longest_wait

    def accept(self, message: Message, validity_seconds: float, start_seconds: float = 0) -> None:
        """Takes charge of a text created over REST."""
        self.in_transit += 1
        loop = asyncio.get_running_loop()
        if start_seconds:
            loop.call_later(start_seconds, self._queue, message, validity_seconds)
        else:
            self._queue(message, validity_seconds)

    def accept_in_vain(self, message: Message, error_code: int) -> None:
        """Takes charge of a text that will fail instead of leaving."""
        self.in_transit += 1
        loop = asyncio.get_running_loop()
        loop.call_later(self._half_delay_seconds(), self._fail, message, error_code)

    def reply(self, message: Message) -> None:
        """Takes charge of an answer to an inbound text.

        It is on the phone at once, for a phone that has just written is in
        reach; its receipts follow like any other's.
        """
        self.in_transit += 1
        phone = self._phonebook.phone(message.to)
        if phone.blocked:
            self._end(message, "failed", BLOCKED)
            return
        self._phonebook.arrived(phone, message.body, message.sid)
        self._schedule(message, self._half_delay_seconds(), arrived=True)

    def cancel(self, message: Message) -> bool:
        """Withdraws a text that has not left yet; tells whether it could."""
        if message.status not in CANCELABLE:
            return False
        self._end(message, "canceled")
        return True

    def _queue(self, message: Message, validity_seconds: float) -> None:
        if message.status == "canceled":
            return
        if message.status in {"accepted", "scheduled"}:
            self._log.change(message, "queued")
            self._receipts.report(message)
        if self._phonebook.phone(message.to).blocked:
            self._end(message, "failed", BLOCKED)
            return
        if self._wait_seconds() > validity_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(validity_seconds, self._fail, message, VALIDITY_EXPIRED)
            return
        wait_seconds = self._wait_for_sender(message)
        self._schedule(message, wait_seconds + self._half_delay_seconds(), arrived=False)

    def _fail(self, message: Message, error_code: int) -> None:
        if message.status != "canceled":
            self._end(message, "failed", error_code)

    def _half_delay_seconds(self) -> float:
        span = self._settings.receipt_seconds
        return self._random.uniform(span.least, span.most) / 2

    def _wait_for_sender(self, message: Message) -> float:
        """Texts leave a sender in order, no faster than its segments a second."""
        wait_seconds = self._wait_seconds()
        if rate := self._settings.segments_per_second:
            starts_at = asyncio.get_running_loop().time() + wait_seconds
            self._sender_free_at = starts_at + message.num_segments / rate
        return wait_seconds

    def _wait_seconds(self) -> float:
        return max(0.0, self._sender_free_at - asyncio.get_running_loop().time())

    def _schedule(self, message: Message, delay_seconds: float, *, arrived: bool) -> None:
        asyncio.get_running_loop().call_later(delay_seconds, self._leave, message, arrived)

    def _leave(self, message: Message, arrived: bool) -> None:
        if message.status == "canceled":
            return
        self._log.change(message, "sent")
        self._receipts.report(message)
        delay_seconds = self._half_delay_seconds()
        asyncio.get_running_loop().call_later(delay_seconds, self._land, message, arrived)

    def _land(self, message: Message, arrived: bool) -> None:
        phone = self._phonebook.phone(message.to)
        code = None if arrived else self._undelivered_code(phone)
        if code is not None:
            phone.undelivered_texts += 1
            self._end(message, "undelivered", code)
            return
        # First the receipt is queued, then whoever holds the phone may answer.
        self._end(message, "delivered")
        if not arrived:
            self._phonebook.arrived(phone, message.body, message.sid)

    def _undelivered_code(self, phone: Phone) -> int | None:
        if phone.driven or phone.undelivered_code is not None:
            return phone.undelivered_code
        share = self._settings.undelivered_share
        return unreachable_code(self._settings.seed, phone.number, share)

    def _end(self, message: Message, status: str, error_code: int | None = None) -> None:
        self.in_transit -= 1
        self._log.change(message, status, error_code)
        self._receipts.report(message)
