"""Receipts in, against one-row INSERTs."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks import client, forms, pgbench
from benchmarks.inbound import DATABASE
from benchmarks.report import Row, against
from benchmarks.rig import Rig, cpu_seconds
from service.runtime import Runtime

_MOST_A_SECOND = 9_000
_BACK_TO_ACCEPTED = text(
    """
    UPDATE delivery SET state = 'accepted', settled_at = NULL
    WHERE id IN (SELECT id FROM delivery WHERE purpose = 'ask' AND state = 'delivered'
                 ORDER BY id DESC LIMIT :size)
    RETURNING id, message_sid, number
    """
)


async def measure(rig: Rig, runtime: Runtime) -> list[Row]:
    """Texts at the carrier hear that they were sent and then delivered, in turn with pgbench."""
    seconds = rig.pick(2, 4)
    yard, outcomes, ratios, costs = [], [], [], []
    async with rig.web(DATABASE) as (port, web):
        await client.run(client.Load(port, 1), _receipts(await _texts(runtime, 1_000)))
        for _ in range(rig.rounds):
            requests = _receipts(await _texts(runtime, int(seconds * _MOST_A_SECOND / 2)))
            yard.append(await pgbench.inserts_per_second(rig, seconds))
            before = cpu_seconds(web.pid)
            outcomes.append(await client.run(client.Load(port, seconds), requests))
            costs.append((cpu_seconds(web.pid) - before) / outcomes[-1].answered * 1e6)
            ratios.append(outcomes[-1].rate / yard[-1])
    rate = median(outcome.rate for outcome in outcomes)
    note = (
        f"CPU a receipt {median(costs):.0f} µs (web); "
        f"{sum(outcome.refused for outcome in outcomes)} refused"
    )
    name = "receipts, one worker, to one-row INSERTs of pgbench"
    return [against(name, "receipts/s", 0.5, rate, median(yard), median(ratios), note)]


async def _texts(runtime: Runtime, size: int) -> Sequence[Any]:
    async with runtime.sessions.begin() as session:
        rows = (await session.execute(_BACK_TO_ACCEPTED, {"size": size})).all()
        await session.execute(text("TRUNCATE receipt"))
        return rows


def _receipts(rows: Sequence[Any]) -> list[bytes]:
    return [
        forms.receipt_for(row.id, row.message_sid, status, row.number)
        for status in ("sent", "delivered")
        for row in rows
    ]
