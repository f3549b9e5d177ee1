"""Makers of rows and conversations, so that a test says only what matters to it."""

from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import text

from service.actions.polls import create_poll, open_poll, schedule_poll
from service.actions.programs import ProgramChanges, set_program
from service.actions.receive_texts import receive_texts
from service.domain.keywords import parse_keyword
from service.domain.programs import Program
from service.runtime import Runtime
from service.store.inbound import ReceivedText, Response

_sids = count(1)
SENDER = "33550"
COACHING: dict[str, Any] = {
    "slug": "coaching",
    "title": "Leadership coaching for clinicians",
    "questions": [
        {
            "text": "Does your organization provide leadership coaching/mentoring to clinicians?",
            "kind": "yes_no",
            "choices": ["yes", "no", {"label": "N/A", "applicable": False}],
        },
        {"text": "Tell us how, in a few words.", "kind": "open", "when": "yes"},
    ],
}


def a_number(index: int) -> str:
    """A distinct number that can receive texts, in Denver."""
    return f"+1303{2000000 + index}"


def a_text(number: str, body: str, **details: Any) -> ReceivedText:
    """A text to the short code, with a MessageSid of its own."""
    sid = details.pop("message_sid", f"SM{next(_sids):032x}")
    return ReceivedText(sid, number, details.pop("to", SENDER), body, **details)


async def text_in(runtime: Runtime, number: str, body: str, **details: Any) -> Response:
    """One text, taken in alone."""
    (response,) = await receive_texts(runtime, [a_text(number, body, **details)])
    return response


async def make_program(runtime: Runtime, slug: str = "stat", **changes: Any) -> Program:
    """A program that joins by STAT on 33550."""
    keywords = changes.pop("keywords", ("STAT", "TOP10:top-ten"))
    values: dict[str, Any] = {
        "name": "Acme Stat",
        "sender": SENDER,
        "help_contact": "800-555-0100 or help@acme.example",
        **changes,
    }
    words = [parse_keyword(word) for word in keywords]
    return await set_program(
        runtime, slug, ProgramChanges(**values), words, allow_quiet_hours_none=True
    )


async def make_members(
    runtime: Runtime, people: int, *, to: str = SENDER, word: str = "STAT"
) -> list[str]:
    """People who have joined by keyword."""
    numbers = [a_number(index) for index in range(people)]
    await receive_texts(runtime, [a_text(number, word, to=to) for number in numbers])
    return numbers


async def make_open_poll(
    runtime: Runtime, content: dict[str, Any] = COACHING, *, beside: bool = False
) -> str:
    """A poll that has opened; its texts are not written yet.

    Args:
        beside: another is open for the same people, which scheduling refuses. It can still be so
            where people came to be in both audiences after that.
    """
    audience = {"audience": {"chapter": "nobody's"}} if beside else {}
    slug = await create_poll(runtime, {**content, **audience}, program=None, actor="tests")
    now = runtime.clock.now()
    await schedule_poll(runtime, slug, opens_at=now, closes_at=now + timedelta(days=2))
    if beside:
        async with runtime.sessions.begin() as session:
            await session.execute(
                text("UPDATE poll SET audience = '{}' WHERE slug = :slug"), {"slug": slug}
            )
    await open_poll(runtime, slug)
    return slug


async def make_ready_poll(runtime: Runtime, people: int) -> list[str]:
    """A program with a poll that is open, its texts written, none sent; gives the numbers."""
    from service.actions.jobs import run_due_job

    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass
    return numbers


async def run_background(runtime: Runtime) -> None:
    """Run due jobs and send due texts until nothing is left to do."""

    from service.actions.call_slots import CallSlots
    from service.actions.dispatch import dispatch_batch
    from service.actions.jobs import run_due_job

    assert runtime.gateway is not None
    calls = CallSlots(25)
    while await run_due_job(runtime) or await dispatch_batch(runtime, runtime.gateway, calls):
        pass


async def open_alerts(runtime: Runtime) -> list[tuple[str, str, str]]:
    """Kind, key and sentence of what staff have not acknowledged, oldest first."""
    query = "SELECT kind, key, sentence FROM alert WHERE acknowledged_at IS NULL ORDER BY id"
    async with runtime.sessions() as session:
        return [(row.kind, row.key, row.sentence) for row in await session.execute(text(query))]
