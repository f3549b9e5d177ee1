"""Status callbacks: what the carrier tells the product about its texts."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from emulator.clock import carrier_stamp
from emulator.faults import Faults
from emulator.messages import API_VERSION, Message
from emulator.settings import Settings
from emulator.webhooks import WebhookClient

WORKERS: Final = 256
FAILURES: Final = frozenset({"undelivered", "failed"})

logger = logging.getLogger("emulator")


def receipt_fields(account_sid: str, message: Message, status: str) -> Mapping[str, str]:
    """The form of one receipt."""
    fields = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "AccountSid": account_sid,
        "From": message.sender,
        "To": message.to,
        "ApiVersion": API_VERSION,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if status in FAILURES and message.error_code is not None:
        fields["ErrorCode"] = str(message.error_code)
    if status == "delivered":
        fields["RawDlrDoneDate"] = carrier_stamp(message.updated_at)
    return fields


def _key(message: Message, status: str) -> str:
    return f"{message.to}:{status}"


class ReceiptSender:
    """Posts receipts with a fixed number of workers, in order for each message.

    Order is what the product may not rely on: planned trouble holds some back.

    A product that is down slows the workers, so what waits is small rows in a
    queue and never a task for each text. There are more of them than connections,
    for some will be pausing before a repeat.
    """

    def __init__(self, settings: Settings, webhooks: WebhookClient, faults: Faults) -> None:
        self._account_sid = settings.account_sid
        self._webhooks = webhooks
        self._faults = faults
        # A stray status comes with its message; else all that the message has to report.
        self._queue: asyncio.Queue[tuple[Message, str]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self.waiting = 0
        self.posted = 0
        self.failures = 0

    def start(self) -> None:
        """Starts the workers; needs a running loop."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]

    async def stop(self) -> None:
        """Drops what waits."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def report(self, message: Message) -> None:
        """Queues a receipt for the status that the message has now."""
        if not message.status_callback:
            return
        self.waiting += 1
        message.unreported.append(message.status)
        if len(message.unreported) == 1:
            self._queue.put_nowait((message, ""))

    async def _work(self) -> None:
        while True:
            message, stray = await self._queue.get()
            if stray:
                await self._tell(message, stray)
            while not stray and message.unreported:
                await self._tell_in_turn(message)

    async def _tell_in_turn(self, message: Message) -> None:
        status = message.unreported[0]
        delay_seconds = self._faults.receipt_delay_seconds(_key(message, status))
        if delay_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(delay_seconds, self._queue.put_nowait, (message, status))
        else:
            await self._tell(message, status)
        message.unreported.pop(0)

    async def _tell(self, message: Message, status: str) -> None:
        for _ in range(self._faults.receipt_copies(_key(message, status))):
            await self._post(message, status)
        self.waiting -= 1
        if message.told is not None:
            message.told.set()

    async def _post(self, message: Message, status: str) -> None:
        target = self._webhooks.target(message.status_callback)
        fields = receipt_fields(self._account_sid, message, status)
        answer = await self._webhooks.post(target, fields)
        self.posted += 1
        if answer.error_code is not None:
            self.failures += 1
            logger.warning("receipt lost: %s %s, error %s", message.sid, status, answer.error_code)
