"""The one fake: a carrier in memory."""

from collections.abc import Callable
from datetime import date, datetime
from itertools import count

from service.errors import RejectedError, SendError
from service.sms.gateway import ListedText, OutboundText, RefusedText, TakenText


class FakeGateway:
    """Takes every text, unless told to fail.

    Attributes:
        taken: texts handed over, in order.
        fail: called with each text; an error it gives is raised instead of taking the text.
        listed: what the carrier's list tells, by number.
        inbound: received texts as listed, newest first.
        refusals: texts refused by the carrier's own opt-out list.
        given_up: numbers in the carriers' reports, by day; a day without one has no report.
    """

    def __init__(self) -> None:
        self.taken: list[OutboundText] = []
        self._sids = count(1)
        self.fail: Callable[[OutboundText], SendError | None] = lambda text: None
        self.listed: dict[str, list[TakenText]] = {}
        self.inbound: list[ListedText] = []
        self.refusals: list[RefusedText] = []
        self.given_up: dict[date, list[str]] = {}

    async def send(self, text: OutboundText) -> TakenText:
        """Take the text, or fail as told."""
        error = self.fail(text)
        if error:
            raise error
        self.taken.append(text)
        return TakenText(f"SM{next(self._sids):032x}", "queued", text.body)

    async def find(self, *, to: str, since: datetime) -> list[TakenText]:
        """What the test put into ``listed``."""
        return self.listed.get(to, [])

    async def senders_of(self, messaging_service_sid: str) -> list[str]:
        """No other senders."""
        return []

    async def received(self, *, to: str, since: datetime) -> list[ListedText]:
        """What the test put into ``inbound``."""
        return [text for text in self.inbound if text.to == to and text.received_at >= since]

    async def refused(self, *, sender: str, since: datetime) -> list[RefusedText]:
        """What the test put into ``refusals``."""
        return [text for text in self.refusals if text.refused_at >= since]

    async def deactivated(self, day: date) -> list[str]:
        """What the test put into ``given_up``."""
        if day not in self.given_up:
            raise RejectedError(f"no report of {day}", code=20404)
        return self.given_up[day]

    async def close(self) -> None:
        """Nothing to close."""
