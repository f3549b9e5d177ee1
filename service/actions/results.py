"""A poll's result, as everybody reads it: page, command line, publication."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.deliveries import SENT_STATES, DeliveryState
from service.domain.polls import Question, QuestionKind
from service.domain.tally import (
    Funnel,
    QuestionTally,
    Tally,
    conducted_line,
    count_question,
    sentence,
)
from service.runtime import Runtime
from service.store import tables
from service.store.answers import count_votes, count_without_answer, summarize_numbers
from service.store.catalog import load_questions
from service.store.deliveries import count_by_state
from service.store.engine import once_more_if_disconnected
from service.store.polls import find_poll
from service.store.review import count_waiting

_BY_RECEIPT = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.UNDELIVERED: "undelivered",
    DeliveryState.ACCEPTED: "no receipt yet",
    DeliveryState.SENT: "no receipt yet",
}
_NOT_SENT = {
    DeliveryState.READY: "waiting",
    DeliveryState.LEASED: "waiting",
    DeliveryState.HANDED: "handed over",
    DeliveryState.IN_DOUBT: "in doubt",
    DeliveryState.FAILED: "failed",
}


async def tally_poll(session: AsyncSession, poll: tables.Poll) -> Tally:
    """Count a poll from what is stored now."""
    assert poll.id is not None  # noqa: S101  (a stored row has its key)
    questions = (await load_questions(session, [poll.id]))[poll.id]
    keys = [question.identifier for question in questions]
    votes = await count_votes(session, keys)
    unanswered = await count_without_answer(session, keys)
    numbers = await summarize_numbers(session, keys)

    def counted(question: Question) -> QuestionTally:
        people = votes[question.identifier]
        return count_question(
            question,
            {label: count for label, count in people.items() if label is not None},
            unanswered[question.identifier],
            answered=people.get(None, 0),
            number=numbers.get(question.identifier),
        )

    return Tally(
        funnel=_funnel(await count_by_state(session, poll.id)),
        questions=tuple(counted(question) for question in questions),
    )


def _funnel(counts: Sequence[tuple[DeliveryState, str, int]]) -> Funnel:
    by_receipt: dict[str, int] = {}
    not_sent: dict[str, int] = {}
    for state, reason, people in counts:
        if state in SENT_STATES:
            name = _BY_RECEIPT[state]
            by_receipt[name] = by_receipt.get(name, 0) + people
        else:
            name = _NOT_SENT.get(state) or reason or state.value
            not_sent[name] = not_sent.get(name, 0) + people
    sent = sum(by_receipt.values())
    return Funnel(sent + sum(not_sent.values()), sent, by_receipt, not_sent)


async def waiting_replies(session: AsyncSession, poll: tables.Poll) -> int:
    """Replies to a poll that wait for a person; they still move the tally until publication."""
    assert poll.id is not None  # noqa: S101  (a stored row has its key)
    questions = (await load_questions(session, [poll.id]))[poll.id]
    return await count_waiting(session, [question.identifier for question in questions])


async def read_results(runtime: Runtime, slug: str) -> dict[str, Any]:
    """A poll's result as plain data, the shape that ``poll results --json`` prints."""
    return await once_more_if_disconnected(lambda: _read_results(runtime, slug))


async def _read_results(runtime: Runtime, slug: str) -> dict[str, Any]:
    async with runtime.sessions() as session:
        poll = await find_poll(session, slug)
        program = (await runtime.catalog.programs(session)).by_id(poll.program_id)
        tally = await tally_poll(session, poll)
        waiting = await waiting_replies(session, poll)
    opened_at = poll.opened_at or poll.opens_at
    first = tally.questions[0]
    return {
        "slug": poll.slug,
        "title": poll.title,
        "program": program.slug,
        "brand": program.name,
        "organization": program.organization,
        "respondents": program.respondents,
        "state": poll.state.value,
        "opened_at": _iso(opened_at),
        "closes_at": _iso(poll.closed_at or poll.closes_at),
        "conducted_on": _day(opened_at, program.timezone),
        "closed_on": _day(poll.closed_at or poll.closes_at, program.timezone),
        "conducted": conducted_line(opened_at, program.timezone, first.applicable)
        if opened_at
        else "",
        "audience": tally.funnel.audience,
        "sent": tally.funnel.sent,
        "delivered": tally.funnel.delivered,
        "by_receipt": dict(tally.funnel.by_receipt),
        "not_sent": dict(tally.funnel.not_sent),
        "replied": first.replied,
        "applicable": first.applicable,
        "excluded": dict(first.excluded),
        "waiting": waiting,
        "questions": [_question(question) for question in tally.questions],
        "sentence": sentence(tally, opened_at, program.timezone)
        if opened_at and first.kind in (QuestionKind.YES_NO, QuestionKind.CHOICE)
        else "",
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _day(instant: datetime | None, timezone: str) -> str | None:
    """The day in the program's zone, such as ``2021-03-30``."""
    return instant.astimezone(ZoneInfo(timezone)).date().isoformat() if instant else None


def _question(tally: QuestionTally) -> dict[str, Any]:
    result: dict[str, Any] = {
        "position": tally.position,
        "kind": tally.kind.value,
        "text": tally.text,
        "choices": [
            {"label": line.label, "count": line.count, "percent": line.percent}
            for line in tally.choices
        ],
        "applicable": tally.applicable,
        "replied": tally.replied,
        "excluded": dict(tally.excluded),
        "when": list(tally.when),
        "unit": tally.unit,
    }
    if tally.number:
        result["number"] = {
            "n": tally.number.count,
            "median": tally.number.median,
            "lower_quartile": tally.number.lower_quartile,
            "upper_quartile": tally.number.upper_quartile,
        }
    return result
