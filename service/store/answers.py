"""Answers, their history, and the counts made of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.conversation import Given
from service.domain.tally import NumberSummary
from service.store.inserts import insert_many
from service.store.tables import Answer, AnswerChange

UPSERT = """
    ON CONFLICT (question_id, subscriber_id) DO UPDATE
    SET choice_id = EXCLUDED.choice_id, number = EXCLUDED.number, text = EXCLUDED.text,
        comment = EXCLUDED.comment, void = false, answered_at = EXCLUDED.answered_at
"""
"""An answer as it now stands takes the place of the one before."""
_VOID = text(
    """
    UPDATE answer a SET void = true
    FROM unnest(CAST(:questions AS bigint[]), CAST(:subscribers AS bigint[]))
         AS k (question_id, subscriber_id)
    WHERE a.question_id = k.question_id AND a.subscriber_id = k.subscriber_id
    """
)


class AnswerRow(NamedTuple):
    """An answer as it stands, by columns of its table."""

    question_id: int
    subscriber_id: int
    choice_id: int | None
    number: Decimal | None
    text: str | None
    comment: str
    answered_at: datetime | None


def answer_row(pair: tuple[int, int], given: Given, choice_id: int | None) -> AnswerRow:
    """An answer's columns; ``pair`` is its question and subscriber."""
    return AnswerRow(*pair, choice_id, given.number, given.text, given.comment, given.answered_at)


def history_row(
    pair: tuple[int, int], given: Given | None, *, actor: str, rule: str, sid: str, now: datetime
) -> dict[str, Any]:
    """What an answer became; ``None`` for one that no longer counts."""
    return {
        "question_id": pair[0],
        "subscriber_id": pair[1],
        "value": given.value if given else None,
        "void": given is None,
        "actor": actor,
        "rule": rule,
        "message_sid": sid,
        "changed_at": now,
    }


async def write_answers(session: AsyncSession, rows: Sequence[AnswerRow]) -> None:
    """Store answers as they now stand; one row a question and subscriber."""
    await insert_many(session, Answer, [row._asdict() for row in rows], tail=UPSERT)


async def write_history(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Append what became of answers."""
    await insert_many(session, AnswerChange, rows)


async def void_answers(session: AsyncSession, pairs: Sequence[tuple[int, int]]) -> None:
    """These (question, subscriber) answers no longer count."""
    if pairs:
        values = {"questions": [q for q, _ in pairs], "subscribers": [s for _, s in pairs]}
        await session.execute(_VOID, values)


_VOTES = text(
    """
    SELECT a.question_id, c.label, count(*) AS people
    FROM answer a LEFT JOIN choice c ON c.id = a.choice_id
    WHERE a.question_id = ANY(:questions) AND NOT a.void
    GROUP BY a.question_id, c.label
    """
)
_WITHOUT_ANSWER = text(
    """
    SELECT question_id, reason, count(*) AS people FROM (
        SELECT i.question_id, i.subscriber_id,
               CASE WHEN bool_or(i.outcome = 'opted_out') THEN 'opted out'
                    WHEN bool_or(i.outcome = 'late') THEN 'too late'
                    WHEN bool_or(i.outcome = 'unclear') THEN 'not understood'
                    WHEN bool_or(i.outcome = 'counted') THEN 'withdrawn'
                    ELSE 'no answer in it' END AS reason
        FROM inbound_text i
        LEFT JOIN answer a ON a.question_id = i.question_id
                          AND a.subscriber_id = i.subscriber_id AND NOT a.void
        WHERE i.question_id = ANY(:questions) AND a.question_id IS NULL
        GROUP BY i.question_id, i.subscriber_id
    ) AS people
    GROUP BY question_id, reason
    """
)
_NUMBERS = text(
    """
    SELECT question_id, count(*) AS people,
           percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY number) AS quartiles
    FROM answer WHERE question_id = ANY(:questions) AND NOT void AND number IS NOT NULL
    GROUP BY question_id
    """
)


async def count_votes(
    session: AsyncSession, questions: Sequence[int]
) -> Mapping[int, Mapping[str | None, int]]:
    """People by question and label; under ``None`` those with a number or open answer."""
    votes: dict[int, dict[str | None, int]] = {question: {} for question in questions}
    for row in await session.execute(_VOTES, {"questions": list(questions)}):
        votes[row.question_id][row.label] = row.people
    return votes


async def count_without_answer(
    session: AsyncSession, questions: Sequence[int]
) -> Mapping[int, Mapping[str, int]]:
    """People who texted about a question and have no answer that counts, by reason."""
    counts: dict[int, dict[str, int]] = {question: {} for question in questions}
    for row in await session.execute(_WITHOUT_ANSWER, {"questions": list(questions)}):
        counts[row.question_id][row.reason] = row.people
    return counts


async def summarize_numbers(
    session: AsyncSession, questions: Sequence[int]
) -> Mapping[int, NumberSummary]:
    """Quartiles of number questions."""
    return {
        row.question_id: NumberSummary(row.people, *_spread(row.quartiles))
        for row in await session.execute(_NUMBERS, {"questions": list(questions)})
    }


def _spread(quartiles: Sequence[float]) -> tuple[float, float, float]:
    lower, median, upper = quartiles
    return median, lower, upper
