"""Look a person up: where a number stands, and why."""

from typing import Any

from service.runtime import Runtime
from service.store.subscribers import person, unasked_texts

_NEWEST_TEXTS = 20


async def describe_person(runtime: Runtime, number: str) -> dict[str, Any]:
    """Standing in each program, consent history and poll texts of a number, oldest first.

    Args:
        number: E.164.
    """
    async with runtime.sessions() as session:
        standing, history, stopped = await person(session, runtime.key_of(number))
        texts = await unasked_texts(session, runtime.key_of(number), _NEWEST_TEXTS)
    return {
        "programs": [
            {
                "program": row.program,
                "state": row.state,
                "hold": row.hold,
                "review": row.review,
                "campaign": row.campaign,
                "since": row.state_at.isoformat(),
            }
            for row in standing
        ],
        "opted_out_at": stopped.last_at.isoformat() if stopped else None,
        "events": [
            {
                "at": row.occurred_at.isoformat(),
                "event": row.kind,
                "program": row.program,
                "medium": row.medium,
                "actor": row.actor,
                "rule": row.rule,
                "words": row.raw_words,
                "wording": row.wording,
                "message_sid": row.message_sid,
            }
            for row in history
        ],
        "texts": [
            {
                "poll": row.poll,
                "purpose": row.purpose,
                "state": row.state,
                "reason": row.reason,
                "not_before": row.not_before.isoformat(),
                "handed_at": row.handed_at.isoformat() if row.handed_at else None,
                "checked_at": row.checked_at.isoformat() if row.checked_at else None,
                "checks": row.checks,
            }
            for row in reversed(texts)
        ],
    }
