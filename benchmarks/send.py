"""Sending: does the shared rate hold over two workers, and how fast is one without a rate."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime
from statistics import median

import aiohttp
from sqlalchemy import text

from benchmarks.people import make_open_poll, make_people, make_program, settle
from benchmarks.report import Row
from benchmarks.rig import Rig
from service.actions.fan_out import fan_out
from service.runtime import Runtime

_DATABASE = "sending"
_LEAST_SHARE, _MOST_SHARE, _MOST_IN_A_SECOND = 0.95, 1.0, 1.10
_LEAST_UNLIMITED = 600
_NO_LIMIT = 1_000_000
_LATE_RECEIPTS = ("--receipt-seconds", "900,900")


async def measure(rig: Rig) -> list[Row]:
    """Two workers at 100 and at 500 segments a second; one worker without a limit."""
    seconds = int(rig.pick(10, 60))
    shares, worst = [], []
    for rate in (100, 500):
        counts = await _send(rig, rate=rate, seconds=seconds, workers=2, latency_ms=20)
        shares.append(sum(counts) / len(counts) / rate)
        worst.append(max(counts) / rate)
    per_second = []
    for _ in range(rig.rounds):
        slots = {"SEND_CONCURRENCY": "100"}
        per_second += await _send(
            rig, rate=_NO_LIMIT, seconds=8, workers=1, latency_ms=100, more=slots
        )
    unlimited = median(per_second)
    farthest = max(shares, key=lambda share: abs(share - 1))
    return [
        Row(
            "sending to the configured rate, two workers, 20 ms",
            "of the rate",
            f"{_LEAST_SHARE}-{_MOST_SHARE}; no second above {_MOST_IN_A_SECOND}",
            round(farthest, 3),
            1.0,
            round(farthest, 3),
            all(_LEAST_SHARE <= round(share, 2) <= _MOST_SHARE for share in shares)
            and max(worst) <= _MOST_IN_A_SECOND,
            f"over {seconds} s: at 100/s {shares[0]:.3f}, worst second {worst[0]:.2f}; "
            f"at 500/s {shares[1]:.3f}, worst second {worst[1]:.2f}",
        ),
        Row(
            "sending without a limit, one worker, 100 ms, 100 in flight",
            "texts/s",
            f">= {_LEAST_UNLIMITED}",
            round(unlimited),
            _LEAST_UNLIMITED,
            round(unlimited / _LEAST_UNLIMITED, 2),
            unlimited >= _LEAST_UNLIMITED,
            "receipts held back",
        ),
    ]


async def _send(
    rig: Rig,
    *,
    rate: int,
    seconds: int,
    workers: int,
    latency_ms: int,
    more: dict[str, str] | None = None,
) -> list[int]:
    """Texts accepted in each whole second of the span, by the carrier's log."""
    people = min(rate, 1_500) * (seconds + 8)
    async with rig.database(_DATABASE) as runtime, AsyncExitStack() as stack:
        await _prepare(runtime, people)
        told = ("--latency-ms", str(latency_ms), "--concurrency-limit", "1000")
        late = _LATE_RECEIPTS if rate == _NO_LIMIT else ()
        port = await stack.enter_async_context(rig.emulator(*told, *late))
        web_port, _ = await stack.enter_async_context(rig.web(_DATABASE, is_public=True))
        environment = rig.environment(
            _DATABASE,
            TWILIO_API_BASE_URL=f"http://127.0.0.1:{port}",
            PUBLIC_BASE_URL=f"http://127.0.0.1:{web_port}",
            SEND_RATE=str(rate),
            **(more or {}),
        )
        for _ in range(workers):
            await stack.enter_async_context(rig.process(environment, "-m", "service.cli", "worker"))
        moments: list[datetime] = []
        async with aiohttp.ClientSession() as http:
            while not moments or (moments[-1] - moments[0]).total_seconds() < seconds + 2:
                await asyncio.sleep(0.5)
                moments += await _news(http, port, len(moments))
                assert len(moments) < people, "ran out of people"
    return _by_second(moments, seconds)


async def _prepare(runtime: Runtime, people: int) -> None:
    await make_people(runtime, await make_program(runtime), people)
    await make_open_poll(runtime, "coaching")
    async with runtime.sessions() as session:
        poll_id = (await session.execute(text("SELECT id FROM poll"))).scalar_one()
    await fan_out(runtime, poll_id)
    await settle(runtime)


async def _news(http: aiohttp.ClientSession, port: int, known: int) -> list[datetime]:
    url = f"http://127.0.0.1:{port}/emulator/log?after={known}&limit=100000"
    async with http.get(url) as answer:
        rows = (await answer.json())["rows"]
    return [datetime.fromisoformat(row["at"]) for row in rows]


def _by_second(moments: list[datetime], seconds: int) -> list[int]:
    """The first second, in which workers wake up one after the other, is left out."""
    first = moments[0]
    counts = Counter(int((moment - first).total_seconds()) for moment in moments)
    return [counts[second] for second in range(1, seconds + 1)]
