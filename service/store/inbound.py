"""Received texts, and all that a batch of them writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.conversation import Outcome, Waiting
from service.domain.deliveries import DeliveryState, Purpose
from service.store.answers import UPSERT, AnswerRow
from service.store.quick import Statement


class ReceivedText(NamedTuple):
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


class TextRow(NamedTuple):
    """A received text, by columns of its table."""

    message_sid: str
    program_id: int | None
    subscriber_id: int | None
    question_id: int | None
    number_key: bytes
    number: str
    to_number: str
    body: str
    media_count: int
    label: str
    rule: str
    outcome: Outcome | None
    received_at: datetime
    waiting: Waiting | None


class ReplyRow(NamedTuple):
    """The text back, by columns of the ledger; the rest is as in what it replies to.

    Attributes:
        state: ``handed`` where the webhook's answer carries it, ``ready`` where a worker will.
    """

    inbound_sid: str
    poll_id: int | None
    question_id: int | None
    purpose: Purpose
    body: str
    segments: int
    state: DeliveryState


class ChangeRow(NamedTuple):
    """What an answer became by a text; the rest is as in that text."""

    message_sid: str
    question_id: int
    value: str | None
    void: bool


# Rows are given in types of the database (migration 0011): to give an array a column takes the
# driver half as long again. Such a type is never altered, since processes of the version before
# may be running: rows with other columns get a type of another name.
_WRITE = Statement(
    f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:texts AS given_text[]))
            WITH ORDINALITY AS given ({", ".join(TextRow._fields)}, place)
    ), reply AS (
        INSERT INTO delivery (
            dedupe_key, program_id, subscriber_id, number_key, number, not_before, created_at,
            handed_at, {", ".join(ReplyRow._fields)}
        )
        SELECT concat('reply:', inbound_sid), program_id, subscriber_id, number_key, number,
               CAST(:now AS timestamptz), :now, CASE WHEN state = 'handed' THEN :now END,
               {", ".join(f"said.{name}" for name in ReplyRow._fields)}
        FROM unnest(CAST(:replies AS given_reply[])) AS said
        JOIN given ON given.message_sid = said.inbound_sid
        ORDER BY given.place
        RETURNING id, inbound_sid, CASE WHEN state = 'handed' THEN body END AS response
    ), received AS (
        INSERT INTO inbound_text (
            {", ".join(TextRow._fields)}, response_body, response_delivery_id
        )
        SELECT {", ".join(f"given.{name}" for name in TextRow._fields)}, reply.response, reply.id
        FROM given LEFT JOIN reply ON reply.inbound_sid = given.message_sid
        ORDER BY given.place
    ), answered AS (
        INSERT INTO answer ({", ".join(AnswerRow._fields)})
        SELECT * FROM unnest(CAST(:answers AS given_answer[])) {UPSERT}
    ), changed AS (
        INSERT INTO answer_change (
            subscriber_id, actor, rule, changed_at, {", ".join(ChangeRow._fields)}
        )
        SELECT given.subscriber_id, :actor, given.rule, given.received_at,
               {", ".join(f"change.{name}" for name in ChangeRow._fields)}
        FROM unnest(CAST(:history AS given_change[]))
            WITH ORDINALITY AS change ({", ".join(ChangeRow._fields)}, place)
        JOIN given ON given.message_sid = change.message_sid
        ORDER BY change.place
    )
    SELECT id, inbound_sid FROM reply
    """
)


async def write_texts(
    session: AsyncSession,
    texts: Sequence[TextRow],
    *,
    replies: Sequence[ReplyRow],
    answers: Sequence[AnswerRow],
    history: Sequence[ChangeRow],
    actor: str,
    now: datetime,
) -> dict[str, int]:
    """Store texts with what came of them, in one statement; gives the replies' keys by MessageSid.

    Args:
        replies: at most one a text.
        answers: as they now stand; one row a question and subscriber.
        history: what became of answers, in order, by ``actor``.
    """
    values = {
        "texts": texts,
        "replies": replies,
        "answers": answers,
        "history": history,
        "actor": actor,
        "now": now,
    }
    return {row.inbound_sid: row.id for row in await _WRITE.rows(session, values)}


_KNOWN_TEXTS = text(
    "SELECT message_sid FROM inbound_text WHERE message_sid = ANY(CAST(:sids AS text[]))"
)


async def known_texts(session: AsyncSession, sids: Sequence[str]) -> set[str]:
    """Which of these have been taken in."""
    return set(await session.scalars(_KNOWN_TEXTS, {"sids": list(sids)}))
