"""Received texts, and all that a batch of them writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.store.answers import UPSERT
from service.store.inserts import Insert
from service.store.quick import Statement
from service.store.tables import Answer, AnswerChange, Delivery, InboundText


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


Rows = Sequence[Mapping[str, Any]]
"""Rows of one table, each with every column that its INSERT below names."""

_DELIVERIES = Insert(
    Delivery,
    (
        *("dedupe_key", "program_id", "subscriber_id", "poll_id", "question_id", "number_key"),
        *("number", "purpose", "body", "segments", "state", "inbound_sid", "not_before"),
        *("created_at", "handed_at"),
    ),
    tail="RETURNING id, inbound_sid",
)
_TEXTS = Insert(
    InboundText,
    (
        *("message_sid", "program_id", "subscriber_id", "question_id", "number_key", "number"),
        *("to_number", "body", "media_count", "label", "rule", "outcome", "received_at"),
        *("waiting", "response_body"),
    ),
    found={"response_delivery_id": "reply.id"},
    joined="LEFT JOIN reply ON reply.inbound_sid = given.message_sid",
)
_ANSWERS = Insert(
    Answer,
    (
        *("question_id", "subscriber_id", "choice_id", "number", "text", "comment"),
        "answered_at",
    ),
    tail=UPSERT,
)
_HISTORY = Insert(
    AnswerChange,
    (
        *("question_id", "subscriber_id", "value", "void", "actor", "rule", "message_sid"),
        "changed_at",
    ),
)
_WRITE = Statement(
    f"""
    WITH reply AS ({_DELIVERIES.sql("delivery_")}),
         received AS ({_TEXTS.sql("text_")}),
         answered AS ({_ANSWERS.sql("answer_")}),
         changed AS ({_HISTORY.sql("change_")})
    SELECT id, inbound_sid FROM reply
    """
)


async def write_texts(
    session: AsyncSession, texts: Rows, *, replies: Rows, answers: Rows, history: Rows
) -> dict[str, int]:
    """Store texts with what came of them, in one statement; gives the replies' keys by MessageSid.

    Args:
        replies: rows of the ledger, at most one a text.
        answers: as they now stand; one row a question and subscriber.
        history: what became of answers, in order.
    """
    values = {
        **_DELIVERIES.values(replies, "delivery_"),
        **_TEXTS.values(texts, "text_"),
        **_ANSWERS.values(answers, "answer_"),
        **_HISTORY.values(history, "change_"),
    }
    return {row.inbound_sid: row.id for row in await _WRITE.rows(session, values)}


_KNOWN_TEXTS = text(
    "SELECT message_sid FROM inbound_text WHERE message_sid = ANY(CAST(:sids AS text[]))"
)


async def known_texts(session: AsyncSession, sids: Sequence[str]) -> set[str]:
    """Which of these have been taken in."""
    return set(await session.scalars(_KNOWN_TEXTS, {"sids": list(sids)}))
