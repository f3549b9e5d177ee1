"""Received texts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """A text as the carrier handed it in.

    Attributes:
        number: sender, E.164.
        to: the code or number it was sent to.
        opt_out_type: STOP, START or HELP where Twilio has answered already.
    """

    message_sid: str
    number: str
    to: str
    body: str
    messaging_service_sid: str = ""
    media_count: int = 0
    opt_out_type: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """The text back, kept so that a repeated webhook gets the very same.

    Attributes:
        body: ``None`` where there is nothing to say.
        delivery_id: the ledger's row of that text.
        label: what the received text was read as, for the figures; empty for one known already.
    """

    body: str | None = None
    delivery_id: int | None = None
    label: str = field(default="", compare=False)


_RESPONSES = text(
    """
    SELECT message_sid, response_body, response_delivery_id FROM inbound_text
    WHERE message_sid = ANY(CAST(:sids AS text[]))
    """
)


async def stored_responses(session: AsyncSession, sids: Iterable[str]) -> dict[str, Response]:
    """Responses given before, by MessageSid."""
    rows = await session.execute(_RESPONSES, {"sids": list(sids)})
    return {row.message_sid: Response(row.response_body, row.response_delivery_id) for row in rows}
