"""Trouble on demand: what goes wrong with the next requests, for tests.

Everything here happens at Twilio now and then and costs somebody a text or a
double: a lost answer after acceptance, a silent server, lost or doubled receipts.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import Final

from starlette.responses import Response

SILENCE_SECONDS: Final = 60.0


class Faults:
    """A queue of what happens to the next creates, and shares for receipts.

    ``busy`` answers 429 and ``error`` 503, neither accepting; ``error_after``
    accepts and answers 503; ``silent_after`` accepts and does not answer for a
    minute; ``ok`` lets one pass.
    """

    def __init__(self) -> None:
        self._creates: deque[str] = deque()
        self._random = Random(0)
        self.lost_receipts_share = 0.0
        self.doubled_receipts_share = 0.0

    def plan_creates(self, faults: Iterable[str]) -> None:
        """Replaces the queue; each entry befalls one create."""
        self._creates = deque(faults)

    def next_create(self) -> str:
        """What befalls the next create."""
        return self._creates.popleft() if self._creates else "ok"

    def receipt_copies(self) -> int:
        """How often the next receipt is posted: 1 unless shares say otherwise."""
        drawn = self._random.random()
        if drawn < self.lost_receipts_share:
            return 0
        return 2 if drawn > 1 - self.doubled_receipts_share else 1

    async def spoil(self, fault: str, response: Response) -> Response:
        """Keeps the answer of an accepted create from the product."""
        if fault == "error_after":
            return Response("upstream error", 503)
        if fault == "silent_after":
            await asyncio.sleep(SILENCE_SECONDS)
        return response
