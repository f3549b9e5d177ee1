"""Does it get slower as the ledger grows: the same work beside 10,000 rows and 10 million."""

import secrets
import time
from datetime import timedelta
from statistics import median

from sqlalchemy import text

from benchmarks.forms import BODIES
from benchmarks.people import (
    SENDER,
    deliver,
    make_open_poll,
    make_people,
    make_program,
    number,
    settle,
)
from benchmarks.report import Row, not_measured
from benchmarks.rig import Rig
from service.actions.polls import close_poll
from service.actions.receive_texts import receive_texts
from service.runtime import Runtime
from service.store.inbound import ReceivedText
from service.store.turns import claim, due_sources

_NAME = "cost per inbound text and per claim at 10 million deliveries to that at 10,000"
_UNIT, _MOST = "ratio", 1.3
_POLLS = 10
_BATCH, _BATCHES, _CLAIMS = 16, 60, 60
_MAKE_DUE = text(
    """
    UPDATE delivery SET state = 'ready', message_sid = NULL, handed_at = NULL
    WHERE id IN (SELECT id FROM delivery ORDER BY id DESC LIMIT 1000)
    """
)


async def measure(rig: Rig) -> list[Row]:
    """Both databases in turn, in this process; the worse of the two ratios counts."""
    if rig.quick:
        return [not_measured(_NAME, _UNIT, f"<= {_MOST}", "only in the full run")]
    async with rig.database("small") as small, rig.database("large") as large:
        await _fill(small, 1_000)
        await _fill(large, 1_000_000)
        texts, claims = [], []
        for turn in range(rig.rounds + 1):
            seconds = [
                (await _per_text(runtime, turn), await _per_claim(runtime))
                for runtime in (small, large)
            ]
            texts.append(seconds[1][0] / seconds[0][0])
            claims.append(seconds[1][1] / seconds[0][1])
    a_text, a_claim = median(texts[1:]), median(claims[1:])
    worse = round(max(a_text, a_claim), 2)
    note = f"a text {a_text:.2f}, a claim {a_claim:.2f}"
    return [Row(_NAME, _UNIT, f"<= {_MOST}", worse, 1.0, worse, worse <= _MOST, note)]


async def _fill(runtime: Runtime, people: int) -> None:
    await make_people(runtime, await make_program(runtime), people)
    for index in range(_POLLS):
        if index:
            await close_poll(runtime, f"poll-{index - 1}")
        await make_open_poll(runtime, f"poll-{index}")
        await deliver(runtime, f"poll-{index}")
    async with runtime.sessions.begin() as session:
        await session.execute(_MAKE_DUE)
    await settle(runtime)


async def _per_text(runtime: Runtime, turn: int) -> float:
    times = []
    for batch in range(_BATCHES):
        first = (turn * _BATCHES + batch) * _BATCH
        texts = [
            ReceivedText(
                f"SM{secrets.token_hex(16)}",
                number(index % 1_000),
                SENDER,
                BODIES[index % len(BODIES)],
            )
            for index in range(first, first + _BATCH)
        ]
        began = time.perf_counter()
        await receive_texts(runtime, texts)
        times.append(time.perf_counter() - began)
    return median(times)


async def _per_claim(runtime: Runtime) -> float:
    times = []
    for _ in range(_CLAIMS):
        async with runtime.sessions() as session:
            now = runtime.clock.now()
            began = time.perf_counter()
            (source,) = await due_sources(session, now)
            claimed = await claim(
                session, source, name="growth", now=now, lease=timedelta(seconds=1), size=25
            )
            times.append(time.perf_counter() - began)
            assert claimed, "nothing was due"
            await session.rollback()
    return median(times)
