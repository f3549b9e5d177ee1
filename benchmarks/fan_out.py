"""A poll opens: when is the first text out, when are all written, how much memory is used."""

import asyncio
import time

import aiohttp
from sqlalchemy import text

from benchmarks.people import make_open_poll, make_people, make_program, settle
from benchmarks.report import Row
from benchmarks.rig import Rig, peak_memory_mb

_DATABASE = "fanning"
_MOST_SECONDS, _MOST_MB, _FIRST_SECONDS = 15.0, 200, 2.0
_FULL = 1_000_000


async def measure(rig: Rig) -> list[Row]:
    """A worker opens a poll for a million people (quick: 100,000) and sends at 100/s meanwhile."""
    people = int(rig.pick(100_000, _FULL))
    async with rig.database(_DATABASE) as runtime, rig.emulator() as port:
        await make_people(runtime, await make_program(runtime), people)
        await settle(runtime)
        environment = rig.environment(
            _DATABASE, TWILIO_API_BASE_URL=f"http://127.0.0.1:{port}", SEND_RATE="100"
        )
        async with rig.process(environment, "-m", "service.cli", "worker") as worker:
            await asyncio.sleep(2)
            await make_open_poll(runtime, "coaching")
            began, first = time.monotonic(), 0.0
            done = text("SELECT fan_out_done FROM poll")
            async with aiohttp.ClientSession() as http:
                while True:
                    if not first and await _any_text(http, port):
                        first = time.monotonic() - began
                    async with runtime.sessions() as session:
                        if first and (await session.execute(done)).scalar_one():
                            break
                    await asyncio.sleep(0.05)
                    assert time.monotonic() < began + 300, "the fan-out does not end"
            seconds, memory = time.monotonic() - began, peak_memory_mb(worker.pid)
    within = seconds <= _MOST_SECONDS and memory <= _MOST_MB and first <= _FIRST_SECONDS
    return [
        Row(
            "fan-out of a poll to 1,000,000 people",
            "s",
            f"<= {_MOST_SECONDS:g} s; <= {_MOST_MB} MB; first text <= {_FIRST_SECONDS:g} s",
            round(seconds, 1) if people == _FULL else None,
            _MOST_SECONDS,
            round(seconds / _MOST_SECONDS, 2) if people == _FULL else None,
            within if people == _FULL else None,
            f"{people:,} people in {seconds:.1f} s, peak {memory:.0f} MB, "
            f"first text after {first:.1f} s",
        )
    ]


async def _any_text(http: aiohttp.ClientSession, port: int) -> bool:
    async with http.get(f"http://127.0.0.1:{port}/emulator/log?limit=1") as answer:
        return bool((await answer.json())["rows"])
