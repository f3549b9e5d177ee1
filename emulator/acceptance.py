"""Creating a text: accepted, refused, or caught in planned trouble."""

import asyncio
import json
from contextlib import suppress
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from emulator.carrier import BLOCKED, QUEUE_OVERFLOW, Carrier
from emulator.clock import Clock
from emulator.creation import Draft, RefusalError
from emulator.faults import CreateFault, Faults
from emulator.hangup import Dropped, first_of
from emulator.messages import Message, MessageLog
from emulator.settings import Settings

QUEUE_FULL: Final = 21611
_LONGEST_WAIT_FOR_RECEIPT_SECONDS: Final = 5.0
_REFUSALS: Final = {CreateFault.BUSY: (20429, 429), CreateFault.BLOCKED: (21610, 400)}
_NEVER_ACCEPTED: Final = frozenset({CreateFault.SILENT, CreateFault.DROPPED_BEFORE})
_ACCEPTED_LATER: Final = frozenset({CreateFault.LATE, CreateFault.DROPPED_LATE})
_SILENT: Final = frozenset({CreateFault.SILENT, CreateFault.SILENT_AFTER, CreateFault.LATE})


class Acceptance:
    """Takes texts into the account, as far as the trouble of the day allows."""

    def __init__(
        self, settings: Settings, clock: Clock, log: MessageLog, carrier: Carrier, faults: Faults
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._carrier = carrier
        self._faults = faults

    async def create(self, draft: Draft, request: Request) -> Response:
        """201 and the resource, unless something is planned to befall this create.

        Raises:
            RefusalError: the text is refused; nothing was accepted.
        """
        if draft.service_sid is None and self._carrier.is_full:
            raise RefusalError(QUEUE_FULL)
        fault = self._faults.next_create(draft.to)
        if fault in _REFUSALS:
            raise RefusalError(*_REFUSALS[fault])
        if fault is CreateFault.ERROR:
            return Response("upstream error", 503)
        if fault in _NEVER_ACCEPTED or fault in _ACCEPTED_LATER:
            return await self._answer_nothing(fault, draft, request)
        return await self._accept_with(fault, draft, request)

    async def _answer_nothing(self, fault: CreateFault, draft: Draft, request: Request) -> Response:
        if fault in _SILENT:
            await first_of(request, self._faults.silence())
        if fault in _ACCEPTED_LATER:
            # On a timer, for the request ends with the connection.
            seconds = self._faults.late_seconds(draft.to)
            asyncio.get_running_loop().call_later(seconds, self._accept, draft, None)
        return Dropped()

    async def _accept_with(self, fault: CreateFault, draft: Draft, request: Request) -> Response:
        message = self._accept(draft, BLOCKED if fault is CreateFault.BLOCKED_LATER else None)
        # What the product is told is the state at acceptance, whatever happens next.
        resource = json.dumps(message.resource(self._settings.account_sid))
        if fault is CreateFault.EARLY and message.status_callback:
            message.told = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(message.told.wait(), _LONGEST_WAIT_FOR_RECEIPT_SECONDS)
        if fault is CreateFault.ERROR_AFTER:
            return Response("upstream error", 503)
        if fault in _SILENT:
            await first_of(request, self._faults.silence())
        if fault in _SILENT or fault is CreateFault.DROPPED:
            return Dropped()
        return Response(resource, 201, media_type="application/json")

    def _accept(self, draft: Draft, fails_with: int | None) -> Message:
        status = "queued" if draft.service_sid is None else "accepted"
        message = self._log.add(
            "outbound-api",
            draft.to,
            self._settings.sender,
            draft.body,
            status if draft.send_at is None else "scheduled",
            num_media=draft.num_media,
            messaging_service_sid=draft.service_sid,
            status_callback=draft.status_callback,
        )
        wait_seconds = 0.0 if draft.send_at is None else draft.send_at - self._clock.now()
        if fails_with is None and draft.service_sid is not None and self._carrier.is_full:
            fails_with = QUEUE_OVERFLOW
        loop = asyncio.get_running_loop()
        # On the next turn of the loop, so that the answer still says "accepted".
        if fails_with is None:
            loop.call_soon(self._carrier.accept, message, draft.validity_seconds, wait_seconds)
        else:
            loop.call_soon(self._carrier.accept_in_vain, message, fails_with)
        return message
