"""The public result page: as it is mostly read, and as it is made."""

import asyncio
from statistics import median

from benchmarks import client, forms
from benchmarks.inbound import DATABASE
from benchmarks.report import Row
from benchmarks.rig import Rig
from service.actions.polls import close_poll, publish_poll
from service.runtime import Runtime

_SLUG = "coaching"
_LEAST_RATE, _MOST_MS = 1_000, 5.0


async def measure(rig: Rig, runtime: Runtime) -> list[Row]:
    """Requests a second by 32 readers; milliseconds of the first reading after each publishing."""
    seconds = rig.pick(3, 5)
    requests = [forms.got(f"/polls/{_SLUG}")] * int(seconds * 20_000)
    await close_poll(runtime, _SLUG)
    await publish_poll(runtime, _SLUG, actor="benchmarks")
    rates, first = [], []
    async with rig.web(DATABASE) as (port, _):
        for _ in range(rig.rounds):
            rates.append((await client.run(client.Load(port, seconds), requests)).rate)
        for _ in range(5 if rig.quick else 15):
            await publish_poll(runtime, _SLUG, actor="benchmarks")
            await asyncio.sleep(1.1)  # an edition may be a second old
            one = client.Load(port, 1, connections=1, rate=1)
            first.append((await client.run(one, requests[:1])).p50)
    rate, p50 = median(rates), median(first)
    return [
        Row(
            "public result page, one worker: cached; uncached",
            "pages/s",
            f">= {_LEAST_RATE}; p50 <= {_MOST_MS:g} ms",
            round(rate),
            _LEAST_RATE,
            round(rate / _LEAST_RATE, 2),
            rate >= _LEAST_RATE and p50 <= _MOST_MS,
            f"uncached p50 {p50:.1f} ms",
        )
    ]
