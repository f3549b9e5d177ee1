"""Look a person up: where a number stands, and why."""

from typing import Any

from service.runtime import Runtime
from service.store.subscribers import person


async def describe_person(runtime: Runtime, number: str) -> dict[str, Any]:
    """Standing in each program and the consent history of a number, oldest first.

    Args:
        number: E.164.
    """
    async with runtime.sessions() as session:
        standing, history, stopped = await person(session, runtime.key_of(number))
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
    }
