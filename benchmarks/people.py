"""Programs, polls and crowds of people, written by COPY and SQL."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from service.actions.polls import create_poll, open_poll, schedule_poll
from service.actions.programs import ProgramChanges, set_program
from service.domain.keywords import parse_keyword
from service.runtime import Runtime

SENDER = "33550"
_COLUMNS = ("program_id", "number_key", "number", "state", "attributes", "created_at", "state_at")
_CHUNK = 50_000
_DELIVER = text(
    """
    INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, question_id, number_key,
                          number, purpose, body, segments, state, message_sid, attempts,
                          not_before, created_at, handed_at, settled_at)
    SELECT concat_ws(chr(58), 'poll', p.id, 'q1', concat('s', s.id), 'ask'), p.program_id, s.id,
           p.id, q.id, s.number_key, s.number, 'ask', q.rendered, 1, 'delivered',
           concat('SM', md5(concat(p.id, chr(58), s.id))), 1, :at, :at, :at, :at
    FROM poll p JOIN question q ON q.poll_id = p.id AND q.position = 1
    JOIN subscriber s ON s.program_id = p.program_id
    WHERE p.slug = :slug ORDER BY s.id
    """
)


def number(index: int) -> str:
    """A distinct number that can receive texts."""
    return f"+1303{2_000_000 + index}"


async def make_program(runtime: Runtime) -> int:
    """The program all benchmarks use; gives its key."""
    values = ProgramChanges(
        name="Acme Stat",
        organization="Acme",
        sender=SENDER,
        help_contact="help@acme.example",
        quiet_hours="none",
    )
    words = [parse_keyword("STAT")]
    made = await set_program(runtime, "stat", values, words, allow_quiet_hours_none=True)
    return made.identifier


async def make_people(runtime: Runtime, program_id: int, people: int) -> None:
    """Active subscribers."""
    now = runtime.clock.now()
    for first in range(0, people, _CHUNK):
        numbers = [number(index) for index in range(first, min(first + _CHUNK, people))]
        rows = [
            (program_id, runtime.key_of(typed), typed, "active", "{}", now, now)
            for typed in numbers
        ]
        async with runtime.sessions.begin() as session:
            raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
            await raw.copy_records_to_table("subscriber", records=rows, columns=_COLUMNS)


async def make_open_poll(runtime: Runtime, slug: str) -> None:
    """A yes/no poll that has opened; its texts are not written yet."""
    content = {
        "slug": slug,
        "title": "Leadership coaching",
        "questions": [{"text": "Does your organization provide coaching?", "kind": "yes_no"}],
    }
    await create_poll(runtime, content, program=None, actor="benchmarks")
    now = runtime.clock.now()
    await schedule_poll(runtime, slug, opens_at=now, closes_at=now + timedelta(days=2))
    await open_poll(runtime, slug)


async def deliver(runtime: Runtime, slug: str) -> None:
    """The poll's texts, delivered to everybody."""
    values = {"slug": slug, "at": runtime.clock.now()}
    async with runtime.sessions.begin() as session:
        await session.execute(_DELIVER, values)
        done = text("UPDATE poll SET fan_out_done = true WHERE slug = :slug")
        await session.execute(done, {"slug": slug})


async def settle(runtime: Runtime) -> None:
    """Statistics and visibility as a running server would have them."""
    async with runtime.sessions() as session:
        connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        await connection.execute(text("VACUUM ANALYZE"))
        await connection.execute(text("CHECKPOINT"))
