"""Failed texts: the one new attempt at each, and how many of a poll's there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_RETRY = text(
    """
    INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, question_id, number_key,
                          number, purpose, body, segments, state, not_before, created_at, retry_of)
    SELECT concat(d.dedupe_key, CAST(:suffix AS text)), d.program_id, d.subscriber_id, d.poll_id,
           d.question_id, d.number_key, d.number, d.purpose, d.body, d.segments, 'ready',
           CAST(:now AS timestamptz) + failed.wait, :now, d.id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:waits AS interval[])) AS failed (id, wait)
    JOIN delivery d ON d.id = failed.id AND d.id = ANY(CAST(:ids AS bigint[]))
    JOIN poll p ON p.id = d.poll_id
    WHERE d.purpose = 'ask' AND d.retry_of IS NULL AND d.state IN ('failed', 'undelivered')
      AND p.state IN ('open', 'paused')
      AND p.closes_at > CAST(:now AS timestamptz) + failed.wait
    ORDER BY d.id
    ON CONFLICT DO NOTHING
    """
)
_NEEDLESS = text(
    """
    UPDATE delivery d
    SET state = 'cancelled', settled_at = :now, leased_until = NULL, leased_by = NULL,
        reason = CASE WHEN reminder.id IS NULL THEN 'the first text arrived after all'
                      ELSE 'the reminder asks it again' END
    FROM delivery first
    LEFT JOIN delivery reminder  -- its key ends so where the other's ends in "ask"
           ON reminder.dedupe_key = concat(left(first.dedupe_key, -3), 'reminder')
          AND reminder.state NOT IN ('undelivered', 'failed', 'cancelled')
    WHERE d.id = ANY(CAST(:ids AS bigint[])) AND d.state = 'leased' AND first.id = d.retry_of
      AND (reminder.id IS NOT NULL
           OR first.state = 'delivered'
           OR EXISTS (SELECT FROM receipt r WHERE r.message_sid = first.message_sid
                      AND r.status IN ('delivered', 'read'))
           OR EXISTS (SELECT FROM inbound_text i WHERE i.question_id = d.question_id
                      AND i.subscriber_id = d.subscriber_id))
    """
)


async def plan_retries(
    session: AsyncSession, waits: Mapping[int, timedelta], now: datetime
) -> None:
    """Write one new attempt at each of these failed texts, if its poll is still open by then.

    Only a poll's question is tried again, and only its first attempt: never a text that answers
    a member's own.

    Args:
        waits: how long to wait, by the failed text's key.
    """
    values = {"ids": list(waits), "waits": list(waits.values()), "suffix": ":again", "now": now}
    await session.execute(_RETRY, values)


async def drop_needless_retries(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Of these leased new attempts, cancel those that nobody is in need of any more.

    The first text has reached its phone after all, as a late receipt or a reply to the question
    tells; or the reminder asks the same, which went or is about to.
    """
    await session.execute(_NEEDLESS, {"ids": list(ids), "now": now})


@dataclass(frozen=True, slots=True)
class SendingPoll:
    """A poll that sends; only texts handed over since ``since`` are judged."""

    id: int
    program_id: int
    since: datetime


_SENDING = text(
    """
    SELECT id, program_id, greatest(opened_at, resumed_at) AS since FROM poll
    WHERE state = 'open' AND opened_at IS NOT NULL ORDER BY id
    """
)
_BY_CODE = text(
    """
    SELECT error_code, count(*) AS texts FROM delivery
    WHERE poll_id = :poll AND purpose = 'ask' AND state IN ('failed', 'undelivered')
      AND coalesce(handed_at, settled_at) >= :since
      AND (error_code IS NOT NULL OR message_sid IS NOT NULL)
    GROUP BY error_code
    """
)
_OUTCOMES = text(
    """
    SELECT count(*) FROM (
        SELECT FROM delivery
        WHERE poll_id = :poll AND purpose = 'ask'
          AND state IN ('accepted', 'sent', 'delivered', 'undelivered', 'failed')
          AND coalesce(handed_at, settled_at) >= :since
          AND error_code IS DISTINCT FROM :opted_out
        LIMIT :enough
    ) outcome
    """
)
_WHERE_FROM = text(
    "SELECT id, program_id, poll_id FROM delivery WHERE id = ANY(CAST(:ids AS bigint[]))"
)


async def sending_polls(session: AsyncSession) -> list[SendingPoll]:
    """Polls that are open and not paused."""
    return [SendingPoll(*row) for row in await session.execute(_SENDING)]


async def failures_by_code(session: AsyncSession, poll: SendingPoll) -> dict[int | None, int]:
    """A poll's failed texts by the carrier's code; those that staff dropped are none."""
    rows = await session.execute(_BY_CODE, {"poll": poll.id, "since": poll.since})
    return {row.error_code: row.texts for row in rows}


async def count_outcomes(
    session: AsyncSession, poll: SendingPoll, *, enough: int, opted_out: int
) -> int:
    """A poll's texts that the carrier took or refused; counting stops at ``enough``.

    Args:
        opted_out: the code of those that are not counted.
    """
    values = {"poll": poll.id, "since": poll.since, "enough": enough, "opted_out": opted_out}
    return await session.scalar(_OUTCOMES, values) or 0


async def origins(session: AsyncSession, ids: Sequence[int]) -> Sequence[Any]:
    """The program and the poll, if any, of each of these texts."""
    return (await session.execute(_WHERE_FROM, {"ids": list(ids)})).all()
