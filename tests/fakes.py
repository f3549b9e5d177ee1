"""The one fake: a carrier in memory."""

from collections.abc import Callable
from datetime import datetime

from service.errors import SendError
from service.sms.gateway import OutboundText, TakenText


class FakeGateway:
    """Takes every text, unless told to fail.

    Attributes:
        taken: texts handed over, in order.
        fail: called with each text; an error it gives is raised instead of taking the text.
        listed: what the carrier's list tells, by number.
    """

    def __init__(self) -> None:
        self.taken: list[OutboundText] = []
        self.fail: Callable[[OutboundText], SendError | None] = lambda text: None
        self.listed: dict[str, list[TakenText]] = {}

    async def send(self, text: OutboundText) -> TakenText:
        """Take the text, or fail as told."""
        error = self.fail(text)
        if error:
            raise error
        self.taken.append(text)
        return TakenText(f"SM{len(self.taken):032x}", "queued", text.body)

    async def find(self, *, to: str, since: datetime) -> list[TakenText]:
        """What the test put into ``listed``."""
        return self.listed.get(to, [])

    async def close(self) -> None:
        """Nothing to close."""
